//! What a resource says of its own attributes and children.

mod missing;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Deserializer};

pub use missing::{Missing, Misstep};

use crate::error::Error;

/// The answer of `/{resource}/describe`, and what it says of each child, at any depth.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Description {
    /// The attributes of a row, as Oracle lists them.
    #[serde(deserialize_with = "or_none")]
    pub attributes: Vec<Attribute>,
    /// The children of a row, by their names. A child that is named but not described has neither attributes
    /// nor children here.
    #[serde(deserialize_with = "or_none")]
    pub children: BTreeMap<String, Description>,
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
    resources: HashMap<String, Description>,
}

/// A list or map that is null is empty.
fn or_none<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl Description {
    pub(crate) fn read(resource: &'static str, body: &[u8]) -> Result<Self, Error> {
        let mut body: Body =
            serde_json::from_slice(body).map_err(|error| Error::malformed(resource, &error))?;
        body.resources.remove(resource).ok_or_else(|| Error::Malformed {
            resource,
            reason: "the description leaves out the resource".to_owned(),
            truncated: false,
        })
    }

    /// Whether the attribute exists and can stand in a filter. Filtering by another one is answered with 400.
    #[must_use]
    pub fn is_queryable(&self, name: &str) -> bool {
        self.own(name).is_some_and(|attribute| attribute.queryable)
    }

    /// The attribute at the end of a path: `Buyer`, or below children `lines.schedules.PromisedDeliveryDate`.
    ///
    /// # Errors
    /// [`Missing`] when a step is not there, with what was probably meant.
    pub fn find(&self, path: &str) -> Result<&Attribute, Missing> {
        let mut level = self;
        let mut steps = path.split('.').peekable();
        let mut passed = Vec::new();
        while let Some(step) = steps.next() {
            if steps.peek().is_some() {
                match level.children.get(step) {
                    Some(child) => level = child,
                    None => return Err(Missing::child(self, level, &passed, path)),
                }
                passed.push(step);
            } else if let Some(attribute) = level.own(step) {
                return Ok(attribute);
            }
        }
        Err(Missing::attribute(self, level, &passed, path))
    }

    fn own(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
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
    fn children_are_read_at_any_depth_and_may_be_left_out() {
        let body = br#"{"Resources":{"purchaseOrders":{"attributes":[{"name":"Buyer"}],"children":{
            "lines":{"attributes":[{"name":"Price","type":"number"}],"children":{"schedules":
                {"attributes":[{"name":"Quantity","type":"number","queryable":true}],"children":null}}},
            "DFF":{"$ref":"https://pod.example/DFF"},"notes":{"attributes":null}}}}}"#;
        let description = Description::read("purchaseOrders", body).unwrap();
        let quantity = description.find("lines.schedules.Quantity").unwrap();
        assert_eq!((quantity.kind.as_deref(), quantity.queryable), (Some("number"), true));
        assert_eq!(description.find("Buyer").unwrap().name, "Buyer");
        for empty in ["DFF", "notes"] {
            assert_eq!(description.children[empty], Description::default(), "{empty}");
        }
        assert!(!description.is_queryable("lines.schedules.Quantity"));
    }

    #[test]
    fn a_description_of_something_else_is_an_error() {
        assert!(Description::read("invoices", br#"{"Resources":{"suppliers":{}}}"#).is_err());
        assert!(Description::read("invoices", br#"{"items":[]}"#).is_err());
    }
}
