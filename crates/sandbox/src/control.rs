//! The control interface: moves the clock, makes faults and changes, and shows what happened.
//!
//! JSON over HTTP on an address of its own, so that no path of the stand-ins is taken. Errors are
//! `{"error": "..."}` with 400.
//!
//! | request | what it does |
//! |---|---|
//! | `GET /` | addresses of both sides |
//! | `GET /clock`, `POST /clock/advance` `{"seconds":60}`, `POST /clock/freeze` `{"at":"..."}` | the clock; `freeze` without `at` stops it where it is |
//! | `GET /faults`, `POST /faults`, `DELETE /faults`, `DELETE /faults/{id}` | fault rules |
//! | `GET /calls`, `DELETE /calls`, `POST /calls/record` `{"keep":100}`, `GET /calls/exchanges` | what was asked |
//! | `GET /oracle/state`, `POST /oracle/edits`, `DELETE /oracle/records` | Oracle's records; edits are one or a list |
//! | `GET /oracle/ledger`, `GET /oracle/ledger/facts` | journals, interface and jobs; what settings need to know |
//! | `GET /oracle/settings`, `PATCH /oracle/settings` | switches; absent ones stay |
//! | `POST /oracle/generate`, `POST /oracle/load` `{"directory":"..."}` | more records |
//! | `GET /asana/state`, `POST /asana/edits` | Asana's records; edits are one or a list |
//! | `GET /asana/webhooks`, `GET`, `PATCH /asana/webhooks/settings` | webhooks and their switches; absent ones stay |
//! | `GET`, `DELETE /asana/deliveries`, `POST /asana/deliveries/settle` | what was sent to them; waits until nothing is due |
//! | `PUT /asana/settings` | tokens, limits and switches; absent ones take their defaults |

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::asana::{self, Asana, AsanaConfig};
use crate::calls::{CallCount, Calls, Exchange};
use crate::clock::VirtualClock;
use crate::faults::{FaultRule, FaultStatus, Faults};
use crate::oracle::{Edit, GenerateOptions, Oracle};

/// Largest request body, in bytes: a long list of edits.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// What the interface has hold of.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    pub clock: VirtualClock,
    pub faults: Faults,
    pub calls: Calls,
    pub oracle: Oracle,
    pub asana: Asana,
    pub oracle_url: String,
    pub asana_url: String,
}

/// A request that could not be done, with the reason.
struct Refused(String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({ "error": self.0 }))).into_response()
    }
}

impl From<serde_json::Error> for Refused {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// Request bodies are read whatever their content type, so that a plain `curl -d` works.
fn parse<T: for<'de> Deserialize<'de>>(body: &str) -> Result<T, Refused> {
    let text = if body.trim().is_empty() { "{}" } else { body };
    Ok(serde_json::from_str(text)?)
}

pub(crate) fn router(control: Control) -> Router {
    let hooks = asana::control(control.asana.clone());
    Router::new()
        .route("/", get(index))
        .route("/clock", get(clock))
        .route("/clock/advance", post(advance))
        .route("/clock/freeze", post(freeze))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/faults/{id}", delete(remove_fault))
        .route("/calls", get(calls).delete(reset_calls))
        .route("/calls/record", post(record_calls))
        .route("/calls/exchanges", get(exchanges))
        .route("/oracle/state", get(oracle_state))
        .route("/oracle/edits", post(oracle_edits))
        .route("/oracle/ledger", get(oracle_ledger))
        .route("/oracle/ledger/facts", get(oracle_ledger_facts))
        .route("/oracle/records", delete(oracle_clear))
        .route("/oracle/settings", get(oracle_settings).patch(change_oracle_settings))
        .route("/oracle/generate", post(oracle_generate))
        .route("/oracle/load", post(oracle_load))
        .route("/asana/state", get(asana_state))
        .route("/asana/edits", post(asana_edits))
        .route("/asana/settings", put(asana_settings))
        .with_state(control)
        .merge(hooks)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

async fn index(State(control): State<Control>) -> Json<Value> {
    Json(json!({ "oracle": control.oracle_url, "asana": control.asana_url }))
}

fn clock_json(clock: &VirtualClock) -> Json<Value> {
    Json(json!({ "now": clock.now() }))
}

async fn clock(State(control): State<Control>) -> Json<Value> {
    clock_json(&control.clock)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: i64,
}

async fn advance(State(control): State<Control>, body: String) -> Result<Json<Value>, Refused> {
    let Advance { seconds } = parse(&body)?;
    control.clock.advance(SignedDuration::from_secs(seconds));
    Ok(clock_json(&control.clock))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Freeze {
    #[serde(default)]
    at: Option<Timestamp>,
}

async fn freeze(State(control): State<Control>, body: String) -> Result<Json<Value>, Refused> {
    let Freeze { at } = parse(&body)?;
    control.clock.freeze(at.unwrap_or_else(|| control.clock.now()));
    Ok(clock_json(&control.clock))
}

async fn faults(State(control): State<Control>) -> Json<Vec<FaultStatus>> {
    Json(control.faults.list())
}

async fn add_fault(State(control): State<Control>, body: String) -> Result<Json<Value>, Refused> {
    let rule: FaultRule = parse(&body)?;
    Ok(Json(json!({ "id": control.faults.add(rule) })))
}

async fn clear_faults(State(control): State<Control>) -> StatusCode {
    control.faults.clear();
    StatusCode::NO_CONTENT
}

async fn remove_fault(State(control): State<Control>, Path(id): Path<u64>) -> StatusCode {
    if control.faults.remove(id) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

async fn calls(State(control): State<Control>) -> Json<Vec<CallCount>> {
    Json(control.calls.counts())
}

async fn reset_calls(State(control): State<Control>) -> StatusCode {
    control.calls.reset();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keep {
    keep: usize,
}

async fn record_calls(State(control): State<Control>, body: String) -> Result<StatusCode, Refused> {
    let Keep { keep } = parse(&body)?;
    control.calls.record_exchanges(keep);
    Ok(StatusCode::NO_CONTENT)
}

async fn exchanges(State(control): State<Control>) -> Json<Vec<Exchange>> {
    Json(control.calls.exchanges())
}

fn raw_json(text: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

async fn oracle_state(State(control): State<Control>) -> Response {
    raw_json(control.oracle.state_json())
}

async fn oracle_ledger(State(control): State<Control>) -> Response {
    raw_json(control.oracle.ledger_json())
}

async fn oracle_ledger_facts(State(control): State<Control>) -> Json<Value> {
    let (primary, second) = (control.oracle.ledger_facts(), control.oracle.second_ledger_facts());
    Json(json!({ "primary": primary, "second": second }))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    fn into_list(self) -> Vec<T> {
        match self {
            Self::Many(list) => list,
            Self::One(one) => vec![one],
        }
    }
}

/// Answers with the ids that each edit concerned. Edits before a refused one have been made.
async fn oracle_edits(State(control): State<Control>, body: String) -> Result<Json<Vec<Vec<i64>>>, Refused> {
    let values: OneOrMany<Value> = parse(&body)?;
    let mut concerned = Vec::new();
    for value in values.into_list() {
        let edit: Edit = serde_json::from_value(value)?;
        concerned.push(control.oracle.apply(edit).map_err(Refused)?);
    }
    Ok(Json(concerned))
}

async fn oracle_clear(State(control): State<Control>) -> StatusCode {
    control.oracle.clear();
    StatusCode::NO_CONTENT
}

async fn oracle_settings(State(control): State<Control>) -> Json<Value> {
    Json(json!(*control.oracle.settings()))
}

async fn change_oracle_settings(
    State(control): State<Control>,
    body: String,
) -> Result<Json<Value>, Refused> {
    let changes: serde_json::Map<String, Value> = parse(&body)?;
    let mut merged = json!(*control.oracle.settings());
    merge(&mut merged, changes);
    let changed = serde_json::from_value(merged)?;
    control.oracle.change_settings(|settings| *settings = changed);
    Ok(oracle_settings(State(control)).await)
}

/// Groups of switches, in which absent ones stay too.
const GROUPS: [&str; 3] = ["erp", "ledger", "phases"];

fn merge(into: &mut Value, changes: serde_json::Map<String, Value>) {
    for (name, value) in changes {
        match (value, &mut into[&name]) {
            (Value::Object(inner), group @ Value::Object(_)) if GROUPS.contains(&name.as_str()) => {
                merge(group, inner);
            }
            (value, place) => *place = value,
        }
    }
}

fn counts(oracle: &Oracle) -> Json<Value> {
    let (orders, invoices) = oracle.counts();
    Json(json!({ "purchaseOrders": orders, "invoices": invoices }))
}

async fn oracle_generate(State(control): State<Control>, body: String) -> Result<Json<Value>, Refused> {
    let options: GenerateOptions = parse(&body)?;
    control.oracle.generate(&options).map_err(Refused)?;
    Ok(counts(&control.oracle))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Load {
    directory: std::path::PathBuf,
}

async fn oracle_load(State(control): State<Control>, body: String) -> Result<Json<Value>, Refused> {
    let Load { directory } = parse(&body)?;
    control.oracle.load(&directory).map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        Refused(format!("{error}{}", cause.unwrap_or_default()))
    })?;
    Ok(counts(&control.oracle))
}

async fn asana_state(State(control): State<Control>) -> Response {
    raw_json(control.asana.state_json())
}

/// Edits before a refused one have been made.
async fn asana_edits(State(control): State<Control>, body: String) -> Result<StatusCode, Refused> {
    let values: OneOrMany<Value> = parse(&body)?;
    for value in values.into_list() {
        let edit: asana::Edit = serde_json::from_value(value)?;
        control.asana.apply(edit).map_err(Refused)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn asana_settings(State(control): State<Control>, body: String) -> Result<StatusCode, Refused> {
    let config: AsanaConfig = parse(&body)?;
    control.asana.reconfigure(config);
    Ok(StatusCode::NO_CONTENT)
}
