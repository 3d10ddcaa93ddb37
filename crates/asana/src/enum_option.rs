//! Bodies that make and change the options of a field.

use serde_json::json;

/// Lets an option be chosen.
pub(crate) const ENABLED: &str = r#"{"data":{"enabled":true}}"#;
/// Lets an option no longer be chosen.
pub(crate) const DISABLED: &str = r#"{"data":{"enabled":false}}"#;

/// An option of that name.
pub(crate) fn named(name: &str) -> String {
    json!({ "data": { "name": name } }).to_string()
}
