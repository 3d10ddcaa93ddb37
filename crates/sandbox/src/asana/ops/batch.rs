//! The batch API: one to ten actions, each answered on its own, in the order of the request.
//!
//! Source: the "Batch API" page of the API reference. The actions run in no promised order.

use serde_json::{Map, Value as Body};

use super::{Ctx, perform};
use crate::asana::call::{Call, Op, Verb, cost, route};
use crate::asana::config::BatchOrder;
use crate::asana::error::Fail;
use crate::asana::http;
use crate::asana::json::Json;
use crate::asana::limits::Cost;

/// The most actions of one batch.
const MAX_ACTIONS: usize = 10;

/// One action, or why it cannot run.
pub(crate) type Action = Result<(Verb, Op, Call), Fail>;

/// Reads the actions of a batch.
pub(crate) fn read(call: &Call) -> Result<Vec<Action>, Fail> {
    let actions = match call.data.get("actions") {
        Some(Body::Array(actions)) if !actions.is_empty() => actions,
        _ => return Err(Fail::missing("actions")),
    };
    if actions.len() > MAX_ACTIONS {
        return Err(Fail::bad(format!("actions: A batch request may have at most {MAX_ACTIONS} actions")));
    }
    Ok(actions.iter().map(action).collect())
}

fn action(item: &Body) -> Action {
    let Body::Object(parts) = item else { return Err(Fail::bad("actions: Value is not a JSON object")) };
    let path =
        parts.get("relative_path").and_then(Body::as_str).ok_or_else(|| Fail::missing("relative_path"))?;
    let method = parts.get("method").and_then(Body::as_str).ok_or_else(|| Fail::missing("method"))?;
    if path.contains('?') {
        return Err(Fail::bad(
            "relative_path: Query parameters are not allowed, use data and options instead",
        ));
    }
    let verb = match method {
        "get" => Verb::Get,
        "post" => Verb::Post,
        "put" => Verb::Put,
        "delete" => Verb::Delete,
        "patch" | "head" => return Err(Fail::no_route()),
        other => return Err(Fail::bad(format!("method: Not a valid method: {other}"))),
    };
    let segments = http::segments(path);
    let op = route(verb, &segments).ok_or_else(Fail::no_route)?;
    if matches!(op, Op::Batch | Op::Attach) {
        return Err(Fail::bad("This action cannot be used in a batch request"));
    }
    let mut call = Call { segments, ..Call::default() };
    if let Some(Body::Object(data)) = parts.get("data") {
        if verb == Verb::Get {
            call.params = params(data);
        } else {
            call.data = data.clone();
        }
    }
    if let Some(Body::Object(options)) = parts.get("options") {
        call.read_options(options);
    }
    Ok((verb, op, call))
}

/// The `data` of a GET action are its query parameters.
fn params(data: &Map<String, Body>) -> Vec<(String, String)> {
    let text = |value: &Body| match value {
        Body::String(text) => text.clone(),
        other => other.to_string(),
    };
    data.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// What the whole batch uses of the limits: every action counts, the batch itself does not.
pub(crate) fn total(actions: &[Action]) -> Cost {
    let costs = actions.iter().filter_map(|a| a.as_ref().ok()).map(|(verb, op, _)| cost(*verb, *op));
    costs.fold(Cost::default(), Cost::plus)
}

/// Runs the actions and writes the list of their results.
pub(crate) fn run(ctx: &mut Ctx<'_>, actions: Vec<Action>) -> String {
    let mut results: Vec<(usize, String)> = Vec::with_capacity(actions.len());
    let mut numbered: Vec<(usize, Action)> = actions.into_iter().enumerate().collect();
    if ctx.cfg.batch_order == BatchOrder::Reversed {
        numbered.reverse();
    }
    for (i, action) in numbered {
        let done = action.and_then(|(_, op, call)| perform(ctx, op, &call).map(|reply| (call, reply)));
        let mut w = Json::default();
        match done {
            Ok((call, reply)) => {
                w.raw("{\"status_code\":");
                w.display(reply.status);
                w.raw(",\"headers\":{");
                if let Some(path) = &reply.location {
                    w.raw("\"location\":");
                    w.string(&format!("{}/api/1.0{path}", ctx.base));
                }
                w.raw("},\"body\":");
                w.raw(&http::envelope(&reply, &call, ctx.base));
                w.raw("}");
            }
            Err(fail) => {
                w.raw("{\"status_code\":");
                w.display(fail.status);
                w.raw(",\"headers\":{},\"body\":");
                w.raw(&fail.body());
                w.raw("}");
            }
        }
        results.push((i, w.finish()));
    }
    results.sort_unstable_by_key(|(i, _)| *i);
    let mut w = Json::default();
    w.array(results, |w, (_, text)| w.raw(&text));
    w.finish()
}
