//! The custom fields of a project, as far as writing needs to know them.

use std::collections::BTreeMap;

use crate::code::Code;
use crate::ids::FieldGid;
use crate::mapping::Held;
use crate::purpose::{Holds, Purpose};

/// What a field can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Text up to 1,024 characters.
    Text,
    /// A number, rounded by Asana to `precision` decimals, shown in `currency` if it has one.
    Number {
        /// Decimals kept, 0 to 6.
        precision: u32,
        /// ISO 4217 code of a currency-formatted field.
        currency: Option<String>,
    },
    /// One of these enabled options: name and gid.
    Enum(Vec<(String, String)>),
    /// A date, with or without time.
    Date,
    /// Any other type, by its name.
    Other(String),
}

/// A custom field on a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in Asana, for messages only.
    pub name: String,
    /// What it can hold.
    pub kind: Kind,
    /// Whether values can be written.
    pub writable: bool,
    /// Which option stands for which supplier or account of Oracle; only options that can be chosen.
    pub bound: BTreeMap<String, String>,
}

/// The fields of one project, by gid.
pub type FieldSet = BTreeMap<FieldGid, Field>;

impl Field {
    /// Reads a field from Asana's custom field setting.
    #[must_use]
    pub fn of(field: &asana::CustomField) -> Field {
        let kind = match field.resource_subtype.as_str() {
            "text" => Kind::Text,
            "number" => Kind::Number {
                precision: u32::from(field.precision.unwrap_or(0)),
                currency: match field.format.as_deref() {
                    Some("currency") => field.currency_code.clone(),
                    _ => None,
                },
            },
            "enum" => Kind::Enum(
                field
                    .enum_options
                    .iter()
                    .filter(|o| o.enabled)
                    .map(|o| (o.name.clone(), o.gid.clone()))
                    .collect(),
            ),
            "date" => Kind::Date,
            other => Kind::Other(other.to_owned()),
        };
        Field { name: field.name.clone(), kind, writable: field.is_writable(), bound: BTreeMap::new() }
    }

    /// Whether the field can say what may not be used: `reference.mark`.
    pub fn check_mark(&self) -> Result<(), Held> {
        if self.writable && matches!(self.kind, Kind::Text) {
            return Ok(());
        }
        let words = format!("field `{}` for marks is no text field that can be written", self.name);
        Err(Held::new(Code::FieldType, words))
    }

    /// Whether the field's options can be kept in step with Oracle: `reference.options`.
    ///
    /// # Errors
    /// [`Code::OptionsField`].
    pub fn check_options(&self) -> Result<(), Held> {
        let why = match &self.kind {
            Kind::Enum(_) if self.writable => return Ok(()),
            Kind::Enum(_) => "cannot be written, options need a field that can be".to_owned(),
            kind => format!("is {}, options need a single-select field", kind.name()),
        };
        Err(Held::new(Code::OptionsField, format!("field `{}` {why}", self.name)))
    }

    /// Whether the field can take a purpose's values at all.
    pub fn check(&self, purpose: Purpose) -> Result<(), Held> {
        if !self.writable {
            return Err(Held::new(
                Code::FieldReadOnly,
                format!("field `{}` for {} cannot be written", self.name, purpose.as_str()),
            ));
        }
        let (fits, wanted) = match purpose.holds() {
            Holds::TextOnly => (matches!(self.kind, Kind::Text), "a text field"),
            Holds::Text => (matches!(self.kind, Kind::Text | Kind::Enum(_)), "a text or single-select field"),
            Holds::Amount => (matches!(self.kind, Kind::Number { .. }), "a number field"),
            Holds::Instant => (matches!(self.kind, Kind::Date | Kind::Text), "a date or text field"),
        };
        if fits {
            return Ok(());
        }
        Err(Held::new(
            Code::FieldType,
            format!(
                "field `{}` for {} is {}; it must be {wanted}",
                self.name,
                purpose.as_str(),
                self.kind.name()
            ),
        ))
    }
}

impl Kind {
    /// The type in words, with what matters of it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Kind::Text => "text".to_owned(),
            Kind::Number { precision, currency: None } => format!("number with {precision} decimals"),
            Kind::Number { precision, currency: Some(code) } => format!("{code} with {precision} decimals"),
            Kind::Enum(options) => format!("single-select with {} options", options.len()),
            Kind::Date => "date".to_owned(),
            Kind::Other(name) => name.clone(),
        }
    }
}
