//! What is written to the log, and what never is.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use asana::{Asana, Config};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use wiremock::ResponseTemplate;

use crate::support::{answering, config, token};

/// Keeps every event as its level and its members.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<(Level, String)>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Kept {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push((*event.metadata().level(), line.0));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn each_announced_change_is_a_warning_once() {
    let kept = Kept::default();
    let _guard = tracing::subscriber::set_default(kept.clone());
    let answer = ResponseTemplate::new(200)
        .append_header("asana-change", "name=new_thing;info=https://asana.example;affected=true")
        .append_header("asana-change", "name=other_thing;info=https://asana.example")
        .set_body_json(json!({"data": {"gid": "3"}}));
    let (_server, asana) = answering(answer).await;
    asana.me().await.unwrap();
    asana.me().await.unwrap();
    let lines = kept.0.lock().unwrap().clone();
    let warnings: Vec<&str> =
        lines.iter().filter(|(level, _)| *level == Level::WARN).map(|(_, line)| line.as_str()).collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("name=new_thing;info=https://asana.example;affected=true"), "{warnings:?}");
    assert!(warnings[1].contains("name=other_thing"), "{warnings:?}");
}

#[tokio::test]
async fn the_token_is_in_no_line_of_any_level() {
    let kept = Kept::default();
    let _guard = tracing::subscriber::set_default(kept.clone());
    let (server, _) = answering(ResponseTemplate::new(429).insert_header("retry-after", "0")).await;
    let token = token();
    let asana = Asana::new(Config { token: token.clone().into(), ..config(&server.uri()) }).unwrap();
    asana.me().await.unwrap_err();
    let lines = kept.0.lock().unwrap().clone();
    assert!(lines.iter().any(|(_, line)| line.contains("429")), "{lines:?}");
    assert!(!lines.iter().any(|(_, line)| line.contains(&token)), "{lines:?}");
}
