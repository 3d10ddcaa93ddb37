//! What a resource says of its own attributes.

use std::collections::HashMap;

use serde::Deserialize;

use crate::error::Error;

/// The answer of `/{resource}/describe`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The resource's attributes, as Oracle lists them.
    pub attributes: Vec<Attribute>,
}

/// One attribute.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Attribute {
    /// Its name; case matters.
    pub name: String,
    /// Its type, such as `integer`, `string` or `datetime`.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// Whether it can stand in a filter; a description that does not say counts as no.
    #[serde(default)]
    pub queryable: bool,
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "Resources")]
    resources: HashMap<String, Described>,
}

#[derive(Deserialize)]
struct Described {
    #[serde(default)]
    attributes: Vec<Attribute>,
}

impl Description {
    pub(crate) fn read(resource: &'static str, body: &[u8]) -> Result<Self, Error> {
        let mut body: Body =
            serde_json::from_slice(body).map_err(|error| Error::malformed(resource, &error))?;
        match body.resources.remove(resource) {
            Some(described) => Ok(Self { attributes: described.attributes }),
            None => Err(Error::Malformed {
                resource,
                reason: "the description leaves out the resource".to_owned(),
                truncated: false,
            }),
        }
    }

    /// Whether the attribute exists and can stand in a filter. Filtering by another one is answered with 400.
    #[must_use]
    pub fn is_queryable(&self, name: &str) -> bool {
        self.attributes.iter().any(|attribute| attribute.name == name && attribute.queryable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_to_be_queryable_is() {
        let body = br#"{"Resources":{"invoices":{"title":"x","attributes":[
            {"name":"InvoiceId","type":"integer","queryable":true,"updatable":false},
            {"name":"RequesterDisplayName","type":"string","queryable":false},
            {"name":"Quiet","type":"string"}],"children":{}}}}"#;
        let description = Description::read("invoices", body).unwrap();
        let queryable = |name| description.is_queryable(name);
        assert!(queryable("InvoiceId"));
        assert!(
            !queryable("invoiceid")
                && !queryable("RequesterDisplayName")
                && !queryable("Quiet")
                && !queryable("None")
        );
        assert_eq!(description.attributes[0].kind.as_deref(), Some("integer"));
    }

    #[test]
    fn a_description_of_something_else_is_an_error() {
        assert!(Description::read("invoices", br#"{"Resources":{"suppliers":{}}}"#).is_err());
        assert!(Description::read("invoices", br#"{"items":[]}"#).is_err());
    }
}
