//! What Asana answers, and what is sent to it.

use std::collections::BTreeMap;

use asana::{CustomField, FieldValue, NewTask, Project, Task, TaskUpdate, Webhook};
use rust_decimal::Decimal;
use serde_json::value::RawValue;

#[derive(serde::Deserialize)]
struct Body {
    data: Data,
}

#[derive(serde::Deserialize)]
struct Data {
    #[serde(default)]
    custom_fields: BTreeMap<String, Box<RawValue>>,
}

/// The input is an answer; its lines are values to be sent.
pub fn check(input: &[u8]) {
    if let Ok(task) = serde_json::from_slice::<Task>(input) {
        for field in &task.custom_fields {
            assert!(task.field(&field.gid).is_some());
            let _ = field.value();
        }
    }
    let _ = serde_json::from_slice::<CustomField>(input);
    let _ = serde_json::from_slice::<Project>(input);
    let _ = serde_json::from_slice::<Webhook>(input);
    sent(input);
}

/// Texts arrive as they are, whatever stands in them, and numbers keep their digits.
fn sent(input: &[u8]) {
    let lines: Vec<String> = super::texts(input).take(20).collect();
    let mut update = TaskUpdate::default();
    let mut task = NewTask { name: lines.first().cloned().unwrap_or_default(), ..NewTask::default() };
    for (at, line) in lines.iter().enumerate() {
        let value = match line.parse::<Decimal>() {
            Ok(number) => FieldValue::Number(number),
            Err(_) => FieldValue::Text(line.clone()),
        };
        update.custom_fields.insert(at.to_string(), value.clone());
        task.custom_fields.insert(at.to_string(), value);
    }
    for body in [update.to_body(), task.to_body()] {
        let read: Body = serde_json::from_str(&body).expect("a body is JSON with these values");
        for (at, line) in lines.iter().enumerate() {
            let shown = read.data.custom_fields[&at.to_string()].get();
            match line.parse::<Decimal>() {
                Ok(number) => assert_eq!(shown.parse::<Decimal>().ok(), Some(number), "{shown} for {line:?}"),
                Err(_) => assert_eq!(serde_json::from_str::<String>(shown).ok().as_ref(), Some(line)),
            }
        }
    }
}
