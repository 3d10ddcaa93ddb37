//! HTTP in front of the operations: route, token, limits, body, answer.
//!
//! A request without a route is answered before its token is looked at, as on the real service.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::routing::any;
use futures_util::future::join_all;

use super::call::{Call, Op, Reply, Verb, cost, route};
use super::error::Fail;
use super::json::Json;
use super::ops::{self, attachments, batch};
use super::webhooks::deliver;
use super::{Asana, Identity};

/// The largest JSON body, in bytes.
const MAX_JSON: usize = 10_000_000;
/// Room for the envelope of a multipart upload, in bytes.
const MULTIPART_ENVELOPE: usize = 100_000;
/// Where links point when a request names no host.
const FALLBACK_ORIGIN: &str = "https://app.asana.com";

pub(crate) fn router(asana: Asana) -> Router {
    Router::new().route("/api/1.0", any(api)).route("/api/1.0/{*path}", any(api)).with_state(asana)
}

async fn api(State(asana): State<Asana>, request: Request) -> Response<Body> {
    asana.0.counters.requests.fetch_add(1, Ordering::Relaxed);
    let base = origin(&asana, request.headers());
    match serve(&asana, request, &base).await {
        Ok((call, reply)) => success(&call, &reply, &base),
        Err(fail) => {
            if fail.status == 429 {
                asana.0.counters.rate_limited.fetch_add(1, Ordering::Relaxed);
            }
            refusal(&fail)
        }
    }
}

async fn serve(asana: &Asana, request: Request, base: &str) -> Result<(Call, Reply), Fail> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix("/api/1.0").unwrap_or_default();
    let verb = verb(&parts.method).ok_or_else(Fail::no_route)?;
    let mut call = Call { segments: segments(path), ..Call::default() };
    let op = route(verb, &call.segments).ok_or_else(Fail::no_route)?;
    let who = asana.identify(bearer(&parts.headers)).ok_or_else(Fail::not_authorized)?;
    let query = parts.uri.query().unwrap_or_default();
    call.params = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let cfg = asana.config();
    let admit = |cost| asana.admit(&cfg, &who.token, cost).map_err(Fail::too_many);
    let (permit, mut actions) = if op == Op::Batch {
        // A batch is free; its actions are not, so that they must be read before the limits are asked.
        read_body(&mut call, op, &parts.headers, body).await?;
        let actions = batch::read(&call)?;
        (admit(batch::total(&actions))?, Some(actions))
    } else {
        let permit = admit(cost(verb, op))?;
        read_body(&mut call, op, &parts.headers, body).await?;
        (permit, None)
    };
    if cfg.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(cfg.latency_ms)).await;
    }
    handshakes(asana, &who, base, op, &mut call, actions.as_mut()).await;
    let reply = run(asana, &who, base, op, &call, actions)?;
    drop(permit);
    Ok((call, reply))
}

/// Asks the targets of all webhooks that the call registers; the call counts as in flight meanwhile.
async fn handshakes(
    asana: &Asana,
    who: &Identity,
    base: &str,
    op: Op,
    call: &mut Call,
    actions: Option<&mut Vec<batch::Action>>,
) {
    if op == Op::CreateWebhook {
        deliver::confirm(asana, who, base, call).await;
    }
    let registrations = actions.into_iter().flatten().filter_map(|action| match action {
        Ok((_, Op::CreateWebhook, call)) => Some(deliver::confirm(asana, who, base, call)),
        _ => None,
    });
    join_all(registrations).await;
}

fn run(
    asana: &Asana,
    who: &Identity,
    base: &str,
    op: Op,
    call: &Call,
    actions: Option<Vec<batch::Action>>,
) -> Result<Reply, Fail> {
    asana.with_ctx(who.user, who.app.as_deref(), base, |ctx| match actions {
        Some(actions) => {
            let mut w = Json::default();
            w.raw(&batch::run(ctx, actions));
            Ok(Reply::ok(w))
        }
        None => ops::perform(ctx, op, call),
    })
}

async fn read_body(call: &mut Call, op: Op, headers: &HeaderMap, body: Body) -> Result<(), Fail> {
    let most = if op == Op::Attach { attachments::MAX_UPLOAD + MULTIPART_ENVELOPE } else { MAX_JSON };
    let bytes = to_bytes(body, most).await.map_err(|_| Fail::new(413, "Request entity too large"))?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if op == Op::Attach {
        call.form = attachments::parts(content_type, &bytes)?;
        return Ok(());
    }
    call.read_body(&bytes)
}

fn verb(method: &Method) -> Option<Verb> {
    match *method {
        Method::GET => Some(Verb::Get),
        Method::POST => Some(Verb::Post),
        Method::PUT => Some(Verb::Put),
        Method::DELETE => Some(Verb::Delete),
        _ => None,
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn origin(asana: &Asana, headers: &HeaderMap) -> String {
    if let Some(url) = &asana.config().public_url {
        return url.trim_end_matches('/').to_owned();
    }
    match headers.get(header::HOST).and_then(|h| h.to_str().ok()) {
        Some(host) => format!("http://{host}"),
        None => FALLBACK_ORIGIN.to_owned(),
    }
}

/// The decoded segments of a path below `/api/1.0`.
pub(crate) fn segments(path: &str) -> Vec<String> {
    path.trim_matches('/').split('/').filter(|s| !s.is_empty()).map(decode).collect()
}

fn decode(segment: &str) -> String {
    // The form decoder reads `+` as a space, which a path does not.
    let safe = format!("v={}", segment.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(safe.as_bytes()).next().map_or_else(String::new, |(_, v)| v.into_owned())
}

/// `{"data": …}`, with `next_page` where the listing is paged.
pub(crate) fn envelope(reply: &Reply, call: &Call, base: &str) -> String {
    let mut w = Json::default();
    w.raw("{\"data\":");
    w.raw(&reply.data);
    if let Some(next) = &reply.next_page {
        w.raw(",\"next_page\":");
        match next {
            Some(token) => next_page(&mut w, token, call, base),
            None => w.raw("null"),
        }
    }
    for (name, value) in &reply.beside {
        w.raw(",\"");
        w.raw(name);
        w.raw("\":");
        w.raw(value);
    }
    w.raw("}");
    w.finish()
}

fn next_page(w: &mut Json, token: &str, call: &Call, base: &str) {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in call.params.iter().filter(|(name, _)| name != "offset") {
        query.append_pair(name, value);
    }
    query.append_pair("offset", token);
    let path = format!("{}?{}", call.path(), query.finish());
    w.raw("{\"offset\":");
    w.string(token);
    w.raw(",\"path\":");
    w.string(&path);
    w.raw(",\"uri\":");
    w.string(&format!("{base}/api/1.0{path}"));
    w.raw("}");
}

fn success(call: &Call, reply: &Reply, base: &str) -> Response<Body> {
    let mut response = json(reply.status, envelope(reply, call, base));
    let location = reply.location.as_ref().map(|path| format!("{base}/api/1.0{path}"));
    if let Some(value) = location.and_then(|l| HeaderValue::from_str(&l).ok()) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

fn refusal(fail: &Fail) -> Response<Body> {
    let mut response = json(fail.status, fail.body());
    if let Some(seconds) = fail.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn json(status: u16, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    response
}
