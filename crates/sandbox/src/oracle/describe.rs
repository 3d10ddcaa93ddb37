//! `describe` of resources, and the catalog of versions.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::Response;

use super::query::is_queryable;
use super::rest::{Exchange, VERSION};
use super::schema::{Kind, Resource, Writes};

const TYPE: &str = "application/vnd.oracle.adf.description+json";

/// The version item; the framework's versions stand in `adf:extension`, as Oracle's page
/// "Set the REST Framework Version" shows them.
fn version_item(exchange: &Exchange<'_>) -> String {
    let base = &exchange.base;
    format!(
        "{{\"version\":\"{VERSION}\",\"isLatest\":true,\"adf:extension\":{{\"defaultFrameworkVersion\":\"1\",\
         \"allowedFrameworkVersions\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}},\
         \"links\":[{{\"rel\":\"self\",\"href\":\"{base}\",\"name\":\"self\",\"kind\":\"item\"}},\
         {{\"rel\":\"describe\",\"href\":\"{base}/describe\",\"name\":\"describe\",\"kind\":\"describe\"}}]}}"
    )
}

/// All versions of the resources: `GET` of the context root.
pub(super) fn catalog(exchange: &Exchange<'_>) -> Response<Body> {
    exchange.answer(TYPE, format!("{{\"items\":[{}]}}", version_item(exchange)))
}

pub(super) fn version(exchange: &Exchange<'_>) -> Response<Body> {
    exchange.answer(TYPE, version_item(exchange))
}

pub(super) fn all(exchange: &Exchange<'_>) -> Response<Body> {
    let mut out = "{\"Resources\":{".to_owned();
    for (place, resource) in exchange.resources().enumerate() {
        if place > 0 {
            out.push(',');
        }
        describe(exchange, resource, &mut out);
    }
    out.push_str("}}");
    exchange.answer(TYPE, out)
}

pub(super) fn one(exchange: &Exchange<'_>, resource: &'static Resource) -> Response<Body> {
    let mut out = "{\"Resources\":{".to_owned();
    describe(exchange, resource, &mut out);
    out.push_str("}}");
    exchange.answer(TYPE, out)
}

fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Id | Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Text => "string",
        Kind::Date => "date",
        Kind::Instant => "datetime",
        Kind::Flag => "boolean",
    }
}

fn describe(exchange: &Exchange<'_>, resource: &'static Resource, out: &mut String) {
    let _ = write!(out, "\"{}\":{{\"discrColumnType\":false,\"attributes\":[", resource.name);
    let key = &resource.attributes[usize::from(resource.key)];
    for (place, attribute) in resource.attributes.iter().filter(|attribute| !attribute.hidden).enumerate() {
        let queryable = is_queryable(resource, attribute, exchange.settings.last_update_queryable);
        let _ = write!(
            out,
            "{}{{\"name\":\"{}\",\"type\":\"{}\",\"updatable\":false,\"mandatory\":{},\"queryable\":{queryable}}}",
            if place > 0 { "," } else { "" },
            attribute.name,
            type_of(attribute.kind),
            std::ptr::eq(key, attribute),
        );
    }
    out.push_str("],\"collection\":{\"rangeSize\":25,\"finders\":[");
    for (place, (finder, variable)) in resource.finders.iter().enumerate() {
        let _ = write!(
            out,
            "{}{{\"name\":\"{finder}\",\"attributes\":[{{\"name\":\"{variable}\",\"type\":\"string\"}}]}}",
            if place > 0 { "," } else { "" },
        );
    }
    let action = |name, method| format!("{{\"name\":\"{name}\",\"method\":\"{method}\"}}");
    let writes = |own, name, method| match resource.writes == own {
        true => format!(",{}", action(name, method)),
        false => String::new(),
    };
    let get = action("get", "GET");
    let _ = write!(
        out,
        "],\"actions\":[{get}{}]}},\"item\":{{\"actions\":[{get}{}]}},\"children\":{{",
        writes(Writes::Create, "create", "POST"),
        writes(Writes::Delete, "delete", "DELETE"),
    );
    for (place, child) in resource.children.iter().copied().enumerate() {
        if place > 0 {
            out.push(',');
        }
        describe(exchange, child, out);
    }
    out.push_str("}}");
}
