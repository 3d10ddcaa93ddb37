//! Records and collections as Oracle writes them.

use std::fmt::Write as _;

use super::projection::{Form, Links, Projection};
use super::record::Record;
use super::settings::PAGE_LIMIT;
use super::value::{write_instant, write_string};
use crate::oracle::value::InstantStyle;

/// The numbers that describe one page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageInfo {
    pub count: usize,
    pub has_more: bool,
    pub limit: usize,
    pub offset: usize,
    pub total: Option<usize>,
}

/// Appends one item. `parent` is the path of its collection below the version root.
pub(crate) fn item(record: &Record, projection: &Projection, form: &Form, parent: &str, out: &mut String) {
    out.push('{');
    let mut first = true;
    let mut separate = |out: &mut String| {
        if !std::mem::replace(&mut first, false) {
            out.push(',');
        }
    };
    for (at, value) in record.values() {
        let attribute = &record.resource.attributes[usize::from(*at)];
        if projection.shows(*at) && !attribute.hidden {
            separate(out);
            out.push('"');
            out.push_str(attribute.name);
            out.push_str("\":");
            value.write(out, form.instants, form.ids_as_text());
        }
    }
    let own = if projection.children.is_empty() && form.links == Links::Hidden {
        String::new()
    } else {
        format!("{parent}/{}", record.path_key())
    };
    for (at, inner) in &projection.children {
        separate(out);
        children(record, *at, inner, form, &own, out);
    }
    if form.has_context() {
        separate(out);
        context(record, form, &own, out);
    } else if form.links != Links::Hidden {
        separate(out);
        out.push_str("\"links\":");
        item_links(record, form, &own, out);
    }
    out.push('}');
}

fn children(record: &Record, at: usize, projection: &Projection, form: &Form, own: &str, out: &mut String) {
    let resource = record.resource.children[at];
    let all = record.shown_children(at);
    let shown = all.len().min(form.child_limit.unwrap_or(usize::MAX));
    let path = format!("{own}/child/{}", resource.name);
    out.push('"');
    out.push_str(resource.name);
    out.push_str("\":");
    if form.children_as_objects() {
        out.push_str("{\"items\":");
    }
    out.push('[');
    for (place, child) in all[..shown].iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        item(child, projection, form, &path, out);
    }
    out.push(']');
    if form.children_as_objects() {
        let limit = form.child_limit.unwrap_or(PAGE_LIMIT);
        let info = PageInfo { count: shown, has_more: shown < all.len(), limit, offset: 0, total: None };
        page_info(&info, out);
        if form.links != Links::Hidden {
            out.push_str(",\"links\":");
            collection_links(resource.name, form, &path, out);
        }
        out.push('}');
    }
}

fn page_info(info: &PageInfo, out: &mut String) {
    if let Some(total) = info.total {
        let _ = write!(out, ",\"totalResults\":{total}");
    }
    let _ = write!(
        out,
        ",\"count\":{},\"hasMore\":{},\"limit\":{},\"offset\":{}",
        info.count, info.has_more, info.limit, info.offset
    );
}

/// Ends a collection that began with `{"items":[` and its items.
pub(crate) fn collection_end(name: &str, info: &PageInfo, form: &Form, path: &str, out: &mut String) {
    out.push(']');
    page_info(info, out);
    out.push_str(",\"links\":");
    collection_links(name, form, path, out);
    out.push('}');
}

fn link(rel: &str, form: &Form, path: &str, name: &str, kind: &str, out: &mut String) {
    out.push_str("{\"rel\":\"");
    out.push_str(rel);
    out.push_str("\",\"href\":");
    write_string(out, &format!("{}{path}", form.base));
    let _ = write!(out, ",\"name\":\"{name}\",\"kind\":\"{kind}\"");
}

fn collection_links(name: &str, form: &Form, path: &str, out: &mut String) {
    out.push('[');
    link("self", form, path, name, "collection", out);
    out.push_str("}]");
}

fn etag(record: &Record) -> String {
    format!("{:X}", super::record::scramble(record.last_update().cast_unsigned()))
}

fn item_links(record: &Record, form: &Form, own: &str, out: &mut String) {
    let name = record.resource.name;
    out.push('[');
    link("self", form, own, name, "item", out);
    if !form.has_context() {
        let _ = write!(out, ",\"properties\":{{\"changeIndicator\":\"{}\"}}", etag(record));
    }
    out.push('}');
    if form.links == Links::All {
        out.push(',');
        link("canonical", form, own, name, "item", out);
        out.push('}');
        for child in record.resource.children {
            out.push(',');
            link("child", form, &format!("{own}/child/{}", child.name), child.name, "collection", out);
            out.push('}');
        }
    }
    out.push(']');
}

fn context(record: &Record, form: &Form, own: &str, out: &mut String) {
    out.push_str("\"@context\":{\"key\":");
    write_string(out, &record.path_key());
    let _ = write!(out, ",\"headers\":{{\"ETag\":\"{}\"}},\"links\":", etag(record));
    item_links(record, form, own, out);
    out.push('}');
}

/// The whole record with all descendants, for comparisons: ids as numbers, date-times with
/// milliseconds, children as arrays under their own names.
pub(crate) fn state(record: &Record, out: &mut String) {
    out.push('{');
    let attributes = record.resource.attributes;
    let values = record.values().iter().map(|(at, value)| (&attributes[usize::from(*at)], value));
    for (place, (attribute, value)) in values.filter(|(attribute, _)| !attribute.hidden).enumerate() {
        if place > 0 {
            out.push(',');
        }
        let _ = write!(out, "\"{}\":", attribute.name);
        value.write(out, InstantStyle::Millis, false);
    }
    for (at, child) in record.resource.children.iter().enumerate() {
        let _ = write!(out, ",\"{}\":[", child.name);
        for (place, inner) in record.shown_children(at).iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            state(inner, out);
        }
        out.push(']');
    }
    out.push('}');
}

/// An instant as text, for pages and bodies of maintenance.
pub(crate) fn instant_text(ms: i64) -> String {
    let mut out = String::new();
    write_instant(&mut out, ms, InstantStyle::Seconds);
    out
}
