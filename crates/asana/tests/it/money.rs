//! Amounts go to Asana and come back digit by digit.

use std::collections::BTreeMap;

use asana::{FieldValue, NewTask, Task, TaskUpdate};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Body {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    custom_fields: BTreeMap<String, Box<RawValue>>,
}

/// The text that stands in a body as the value of field 102.
fn written(body: &str) -> String {
    let body: Body = serde_json::from_str(body).unwrap();
    body.data.custom_fields["102"].get().to_owned()
}

/// Reads a task that carries this text as the value of field 102.
fn read(number: &str) -> Option<FieldValue> {
    let json = format!(
        r#"{{"gid":"5","completed":false,"created_at":"2026-06-01T08:00:00Z","modified_at":"2026-06-01T08:00:00Z",
            "custom_fields":[{{"gid":"102","resource_subtype":"number","number_value":{number}}}]}}"#
    );
    let task: Task = serde_json::from_str(&json).unwrap();
    task.field("102").unwrap().value()
}

proptest! {
    #[test]
    fn an_amount_is_the_same_after_the_round_trip(
        low in any::<u32>(), mid in any::<u32>(), high in any::<u32>(), negative in any::<bool>(), scale in 0u32..=28,
    ) {
        let amount = Decimal::from_parts(low, mid, high, negative, scale);
        let custom_fields = BTreeMap::from([("102".to_owned(), FieldValue::Number(amount))]);
        let update = TaskUpdate { custom_fields: custom_fields.clone(), ..TaskUpdate::default() };
        let new = NewTask { custom_fields, ..NewTask::default() };
        let text = written(&update.to_body());
        prop_assert_eq!(&text, &written(&new.to_body()));
        if !amount.is_zero() {
            prop_assert_eq!(&text, &amount.to_string());
        }
        prop_assert_eq!(read(&text), Some(FieldValue::Number(amount)));
    }

    #[test]
    fn an_exponent_means_the_same_as_the_plain_digits(mantissa in -999_999_999i64..=999_999_999, exponent in -12i32..=12) {
        let plain = if exponent < 0 {
            Decimal::new(mantissa, exponent.unsigned_abs())
        } else {
            Decimal::from(i128::from(mantissa) * 10i128.pow(exponent.unsigned_abs()))
        };
        prop_assert_eq!(read(&format!("{mantissa}e{exponent}")), Some(FieldValue::Number(plain)));
        prop_assert_eq!(read(&format!("{mantissa}.000E{exponent:+}")), Some(FieldValue::Number(plain)));
    }
}
