//! Definitions of custom fields.

use serde::Deserialize;

use crate::record::null_as_default;

/// The definition of a custom field that stands on a project.
///
/// Users may rename or change a definition at any time: refer to it by gid, and look at its kind before
/// writing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CustomField {
    /// Gid of the field.
    pub gid: String,
    /// Name as shown in Asana.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// Kind of the value: `text`, `number`, `enum`, `multi_enum`, `date`, `people`, `reference`, or one that
    /// came later.
    #[serde(default, deserialize_with = "null_as_default")]
    pub resource_subtype: String,
    /// As `resource_subtype`, or `formula` or `custom_id` for values that Asana makes itself.
    #[serde(default)]
    pub representation_type: Option<String>,
    /// Decimal places of a number field, 0 to 6. Asana rounds what is written to it.
    #[serde(default)]
    pub precision: Option<u8>,
    /// Format of a number field: `currency`, `percentage`, `identifier`, `duration`, `custom` or `none`.
    #[serde(default)]
    pub format: Option<String>,
    /// ISO 4217 code of the one currency of a currency-formatted field.
    #[serde(default)]
    pub currency_code: Option<String>,
    /// Options of an enum or multi-enum field, disabled ones included.
    #[serde(default, deserialize_with = "null_as_default")]
    pub enum_options: Vec<EnumOption>,
    /// Whether values cannot be written.
    #[serde(default, deserialize_with = "null_as_default")]
    pub is_value_read_only: bool,
    /// Whether Asana computes the values.
    #[serde(default, deserialize_with = "null_as_default")]
    pub is_formula_field: bool,
    /// Whether the field belongs to the workspace's library; a field of one project only otherwise.
    #[serde(default)]
    pub is_global_to_workspace: Option<bool>,
}

impl CustomField {
    /// Whether [`FieldValue`](crate::FieldValue) has a kind for this field and Asana lets values be written.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        let computed = self.is_formula_field
            || matches!(self.representation_type.as_deref(), Some("formula" | "custom_id"));
        let kind =
            matches!(self.resource_subtype.as_str(), "text" | "number" | "enum" | "multi_enum" | "date");
        kind && !computed && !self.is_value_read_only
    }
}

/// One option of an enum or multi-enum field.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EnumOption {
    /// Gid of the option; this is what a value is written as.
    pub gid: String,
    /// Name as shown in Asana; may be used twice.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// Whether it can be chosen. Options are never deleted, only disabled.
    #[serde(default = "enabled")]
    pub enabled: bool,
}

fn enabled() -> bool {
    true
}

/// One entry of `GET /projects/{gid}/custom_field_settings`.
#[derive(Deserialize)]
pub(crate) struct CustomFieldSetting {
    pub(crate) custom_field: CustomField,
}
