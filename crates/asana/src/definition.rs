//! Request bodies for custom fields that are to be made and put onto projects.
//!
//! Facts are from developers.asana.com, the reference of `createCustomField` and
//! `addCustomFieldSettingForProject`.

use serde_json::{Value, json};

/// Custom fields that a project can have. Asana's specification names the number for portfolios, "like projects";
/// its pages may allow more by now, so it is a warning and not a bound.
pub const FIELDS_PER_PROJECT: usize = 20;

/// A custom field to be created in a workspace's library (`POST /custom_fields`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCustomField {
    /// Its name: unique in the workspace, and not that of a built-in property such as "Due date".
    pub name: String,
    /// What it is for, shown to people who look at the field; empty: none.
    pub description: String,
    /// What it can hold. It cannot be changed later.
    pub kind: FieldType,
}

/// The type of a new field, with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// Text of up to 1,024 characters.
    Text,
    /// A number.
    Number {
        /// Decimal places, 0 to 6; values are rounded to them.
        precision: u8,
        /// ISO 4217 code of the one currency that all values are in; `None`: a plain number.
        currency: Option<String>,
    },
    /// One of these options, by their names, at least one.
    Enum(Vec<String>),
    /// A date, with or without a time.
    Date,
}

impl NewCustomField {
    /// The body of the request.
    pub(crate) fn to_body(&self, workspace: &str) -> String {
        let mut data = json!({ "workspace": workspace, "name": self.name });
        if !self.description.is_empty() {
            data["description"] = Value::from(self.description.as_str());
        }
        match &self.kind {
            FieldType::Text => data["resource_subtype"] = Value::from("text"),
            FieldType::Date => data["resource_subtype"] = Value::from("date"),
            FieldType::Number { precision, currency } => {
                data["resource_subtype"] = Value::from("number");
                data["precision"] = Value::from(*precision);
                data["format"] = Value::from(if currency.is_some() { "currency" } else { "none" });
                if let Some(code) = currency {
                    data["currency_code"] = Value::from(code.as_str());
                }
            }
            FieldType::Enum(options) => {
                data["resource_subtype"] = Value::from("enum");
                data["enum_options"] = options.iter().map(|name| json!({ "name": name })).collect();
            }
        }
        json!({ "data": data }).to_string()
    }
}

/// The body that puts a field onto a project.
pub(crate) fn setting(field: &str) -> String {
    json!({ "data": { "custom_field": field, "is_important": false } }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(kind: FieldType) -> Value {
        let field = NewCustomField { name: "Amount \"x\"".into(), description: String::new(), kind };
        serde_json::from_str::<Value>(&field.to_body("12")).unwrap()["data"].take()
    }

    #[test]
    fn each_type_is_asked_for_with_what_belongs_to_it_and_nothing_else() {
        let base = |rest: Value| {
            let mut all = json!({ "workspace": "12", "name": "Amount \"x\"" });
            all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            all
        };
        assert_eq!(body(FieldType::Text), base(json!({ "resource_subtype": "text" })));
        assert_eq!(body(FieldType::Date), base(json!({ "resource_subtype": "date" })));
        let number = FieldType::Number { precision: 3, currency: None };
        assert_eq!(
            body(number),
            base(json!({ "resource_subtype": "number", "precision": 3, "format": "none" }))
        );
        let money = FieldType::Number { precision: 2, currency: Some("EUR".into()) };
        let wanted = json!({ "resource_subtype": "number", "precision": 2, "format": "currency",
                             "currency_code": "EUR" });
        assert_eq!(body(money), base(wanted));
        let wanted =
            json!({ "resource_subtype": "enum", "enum_options": [{ "name": "a" }, { "name": "b" }] });
        assert_eq!(body(FieldType::Enum(vec!["a".into(), "b".into()])), base(wanted));
    }

    #[test]
    fn a_setting_names_the_field_by_its_gid() {
        assert_eq!(setting("77"), r#"{"data":{"custom_field":"77","is_important":false}}"#);
    }
}
