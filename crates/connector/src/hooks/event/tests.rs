use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// One click on "complete", as it was captured.
const COMPLETE: &str = r#"{"events":[
 {"user":{"gid":"11","resource_type":"user"},"created_at":"2021-10-29T02:44:21.987Z","action":"changed","parent":null,
  "change":{"field":"completed","action":"changed"},
  "resource":{"gid":"99","resource_type":"task","resource_subtype":"default_task"}},
 {"user":{"gid":"11","resource_type":"user"},"created_at":"2021-10-29T02:44:21.987Z","action":"changed","parent":null,
  "change":{"field":"completed_at","action":"changed"},
  "resource":{"gid":"99","resource_type":"task","resource_subtype":"default_task"}}]}"#;

fn events(kind: ResourceKind, body: &str) -> Vec<Event> {
    read(kind, body).unwrap()
}

fn one(event: &Value) -> Event {
    events(ResourceKind::Project, &json!({"events": [event]}).to_string()).remove(0)
}

fn completing() -> Value {
    let parsed: Value = serde_json::from_str(COMPLETE).unwrap();
    parsed["events"][0].clone()
}

#[test]
fn completing_a_task_is_two_open_events_of_it() {
    let events = events(ResourceKind::Project, COMPLETE);
    let fields: Vec<_> = events.iter().map(|event| event.field.as_deref()).collect();
    assert_eq!(fields, [Some("completed"), Some("completed_at")]);
    for event in &events {
        assert_eq!((event.resource_type.as_str(), event.resource_gid.as_str()), ("task", "99"));
        assert_eq!((event.action.as_str(), event.open, &event.parent_gid), ("changed", true, &None));
        assert_eq!(event.happened_at.unwrap().to_string(), "2021-10-29T02:44:21.987Z");
    }
    assert_ne!(events[0].key, events[1].key);
}

#[test]
fn a_heartbeat_has_no_events() {
    assert!(events(ResourceKind::Project, r#"{"events":[]}"#).is_empty());
    assert!(events(ResourceKind::Project, r#" { "events" : [ ] , "later" : {"a": 1} } "#).is_empty());
}

#[test]
fn what_is_not_asked_for_is_ignored() {
    let with_type = |of: &str| {
        let mut event = completing();
        event["resource"]["resource_type"] = json!(of);
        json!({"events": [event]}).to_string()
    };
    for (kind, of, open) in [
        (ResourceKind::Project, "task", true),
        (ResourceKind::Project, "story", false),
        (ResourceKind::Project, "project", false),
        (ResourceKind::Workspace, "project", true),
        (ResourceKind::Workspace, "task", false),
    ] {
        assert_eq!(events(kind, &with_type(of))[0].open, open, "{kind:?} {of}");
    }
}

#[test]
fn every_member_of_the_key_tells_events_apart() {
    let base = one(&completing()).key;
    let changes: [(&str, Value); 8] = [
        ("/resource/gid", json!("98")),
        ("/action", json!("added")),
        ("/change/field", json!("name")),
        ("/change/action", json!("removed")),
        ("/change/new_value", json!({"gid": "5"})),
        ("/parent", json!({"gid": "7"})),
        ("/created_at", json!("2021-10-29T02:44:21.988Z")),
        ("/user/gid", json!("12")),
    ];
    let mut keys = vec![base];
    for (place, value) in changes {
        let mut event = completing();
        event["change"]["new_value"] = json!(null);
        *event.pointer_mut(place).unwrap() = value;
        keys.push(one(&event).key);
    }
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), count);
}

#[test]
fn the_order_of_members_and_unknown_ones_do_not_matter() {
    let turned = r#"{"events":[{"resource":{"resource_type":"task","name":"x","gid":"9\u0039"},"later":[1,{"a":2}],
        "change":{"action":"changed","field":"completed","new_value":null},"created_at":"2021-10-29T02:44:21.987Z",
        "action":"changed","user":{"resource_type":"user","gid":"11"}}]}"#;
    assert_eq!(events(ResourceKind::Project, turned)[0], one(&completing()));
}

#[test]
fn a_member_of_another_type_is_as_good_as_missing() {
    for odd in [
        json!(null),
        json!(true),
        json!(-5),
        json!(5),
        json!(1.5),
        json!("x"),
        json!([1, [2]]),
        json!({"a": {"b": 1}}),
    ] {
        for place in ["/user", "/change/new_value", "/change", "/parent", "/created_at", "/user/gid"] {
            let mut event = completing();
            event["change"]["new_value"] = json!(null);
            *event.pointer_mut(place).unwrap() = odd.clone();
            assert!(one(&event).open, "{odd} at {place}");
        }
        for place in ["/resource", "/resource/gid", "/resource/resource_type"] {
            let mut event = completing();
            *event.pointer_mut(place).unwrap() = odd.clone();
            let open = one(&event).open;
            assert_eq!(open, place == "/resource/gid" && odd == json!("x"), "{odd} at {place}");
        }
        let whole = one(&odd);
        assert!(!whole.open && whole.resource_gid.is_empty(), "{odd}");
    }
}

#[test]
fn a_text_that_is_no_name_or_gid_is_not_kept() {
    for odd in ["", "1 2", "a\u{0}b", "\u{e9}", &"9".repeat(65)] {
        let mut event = completing();
        event["resource"]["gid"] = json!(odd);
        event["change"]["field"] = json!(odd);
        let read = one(&event);
        assert!(!read.open && read.resource_gid.is_empty(), "{odd:?}");
        assert_eq!(read.field.unwrap_or_default(), "", "{odd:?}");
    }
}

#[test]
fn a_time_that_could_not_be_is_no_time() {
    for odd in ["-009999-01-02T00:00:00Z", "1969-12-31T23:59:59Z", "yesterday", "2026-06-30", ""] {
        let mut event = completing();
        event["created_at"] = json!(odd);
        let read = one(&event);
        assert_eq!((read.happened_at, read.open), (None, true), "{odd}");
    }
}

#[test]
fn a_body_that_is_no_delivery_is_unreadable_and_not_repeated() {
    for bad in [
        "",
        "{}",
        "[]",
        "null",
        "{\"events\":null}",
        "{\"events\":{}}",
        "{\"events\":[",
        "{\"events\":[]}x",
        "hidden",
    ] {
        let error = read(ResourceKind::Project, bad).unwrap_err();
        assert!(!error.to_string().contains("hidden"));
    }
}

#[test]
fn more_events_than_the_limit_are_refused() {
    let body = |count: usize| format!("{{\"events\":[{}]}}", vec!["0"; count].join(","));
    assert_eq!(events(ResourceKind::Project, &body(MAX_EVENTS)).len(), MAX_EVENTS);
    assert!(read(ResourceKind::Project, &body(MAX_EVENTS + 1)).is_err());
}

#[test]
fn keys_sort_by_the_second() {
    let at = |second: &str| EventKey::swept("1", format!("2026-06-30T12:00:{second}Z").parse().unwrap());
    assert!(at("01") < at("02") && at("02") < at("59"));
    assert_eq!(at("01"), at("01"));
    let other = EventKey::swept("2", "2026-06-30T12:00:01Z".parse().unwrap());
    assert_ne!(other, at("01"));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let _ = read(ResourceKind::Project, text);
        }
    }

    #[test]
    fn no_cut_or_bent_delivery_panics(cut in 0usize..COMPLETE.len(), place in 0usize..COMPLETE.len(), byte in 32u8..127) {
        let _ = read(ResourceKind::Project, &COMPLETE[..cut]);
        let mut bent = COMPLETE.as_bytes().to_vec();
        bent[place] = byte;
        if let Ok(events) = read(ResourceKind::Project, std::str::from_utf8(&bent).unwrap()) {
            for event in events {
                prop_assert!(event.resource_gid.len() <= MAX_TEXT_BYTES);
            }
        }
    }
}
