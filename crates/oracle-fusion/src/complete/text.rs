//! The text of records: what is cut short, what the rows are called, and where they live.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::object::Members;
use crate::query::Attr;

/// Whether an expanded child of the record, at any depth, says that more rows of it exist.
#[must_use]
pub fn is_truncated(record: &RawValue) -> bool {
    says_has_more(record.get())
}

/// In JSON text a quote inside a string is escaped, so `"hasMore"` before a colon is a name.
pub(super) fn says_has_more(text: &str) -> bool {
    text.match_indices("\"hasMore\"").any(|(at, name)| {
        let rest = text.get(at + name.len()..).unwrap_or_default().trim_start();
        rest.strip_prefix(':').is_some_and(|value| value.trim_start().starts_with("true"))
    })
}

#[derive(Deserialize)]
pub(super) struct Child {
    pub items: Vec<Box<RawValue>>,
    #[serde(rename = "hasMore", default)]
    pub has_more: bool,
}

/// A row with its links, which newer framework versions put into `@context`.
#[derive(Deserialize)]
pub(super) struct Linked {
    #[serde(default)]
    links: Vec<Link>,
    #[serde(rename = "@context", default)]
    context: Context,
}

#[derive(Default, Deserialize)]
struct Context {
    #[serde(default)]
    links: Vec<Link>,
}

impl Linked {
    /// The key in the path of the row's own link.
    pub fn own_key(&self) -> Option<String> {
        let own = self.links.iter().chain(&self.context.links).find(|link| link.rel == "self")?;
        last_segment(&own.href)
    }
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    rel: String,
    #[serde(default)]
    href: String,
}

/// The text of a number or string attribute.
pub(super) fn attribute(item: &str, attr: &Attr) -> Option<String> {
    let Members(members) = serde_json::from_str(item).ok()?;
    let value = members.into_iter().find(|(name, _)| name == attr.as_str())?.1.get();
    match value.as_bytes().first()? {
        b'"' => serde_json::from_str(value).ok(),
        b'-' | b'0'..=b'9' => Some(value.to_owned()),
        _ => None,
    }
}

/// The paths of all children that came with an item, and how many rows of each; added to those of other items.
pub(super) fn expanded_paths(item: &str, prefix: &str, paths: &mut BTreeMap<String, usize>) {
    let Ok(Members(members)) = serde_json::from_str(item) else { return };
    for (name, value) in members {
        let child: Option<Child> =
            Some(value.get()).filter(|v| v.starts_with('{')).and_then(|v| serde_json::from_str(v).ok());
        if let (Some(child), Ok(_)) = (child, Attr::new(&name)) {
            let path = format!("{prefix}{name}");
            let below = format!("{path}.");
            *paths.entry(path).or_default() += child.items.len();
            child.items.iter().for_each(|item| expanded_paths(item.get(), &below, paths));
        }
    }
}

/// The decoded last segment of an address, unless it is none that can stand in a path.
fn last_segment(href: &str) -> Option<String> {
    let path = href.split(['?', '#']).next()?.trim_end_matches('/');
    let segment = percent_decoded(path.rsplit_once('/')?.1)?;
    let fits =
        !segment.is_empty() && segment != "." && segment != ".." && !segment.contains(char::is_control);
    fits.then_some(segment)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let pair = [bytes.next()?, bytes.next()?];
            decoded.push(u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_rows_are_recognised_at_any_depth_and_only_there() {
        assert!(says_has_more(
            r#"{"lines":{"items":[{"s":{"items":[],"hasMore" : true}}],"hasMore":false}}"#
        ));
        assert!(!says_has_more(r#"{"Description":"\"hasMore\":true","lines":{"items":[],"hasMore":false}}"#));
        assert!(!says_has_more(r#"{"Description":"hasMore","a":true}"#));
    }

    #[test]
    fn of_a_link_only_the_last_segment_is_used() {
        let root = "https://other.example:443/fscmRestApi/resources/11.13.18.05/purchaseOrders";
        for (end, key) in [
            ("/00020000000EACED", Some("00020000000EACED")),
            ("/a%2Fb%3D", Some("a/b=")),
            ("/abc/?x=/y", Some("abc")),
            ("/..", None),
            ("/%2e%2e", None),
            ("/%zz", None),
            ("/a%0d%0ab", None),
        ] {
            assert_eq!(last_segment(&format!("{root}{end}")).as_deref(), key, "{end}");
        }
    }

    #[test]
    fn the_children_that_came_along_are_asked_for_again() {
        let item = r#"{"a":{"b":1},"schedules":{"items":[{"distributions":{"items":[]}}]},"DFF":{"items":[]},"links":[]}"#;
        let mut paths = BTreeMap::new();
        expanded_paths(item, "", &mut paths);
        let paths: Vec<_> = paths.into_iter().collect();
        let path = |path: &str, rows| (path.to_owned(), rows);
        assert_eq!(paths, [path("DFF", 0), path("schedules", 1), path("schedules.distributions", 0)]);
    }
}
