//! Objects whose members are not known beforehand.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::scalar;

/// An object's members in their order, with their exact texts.
pub(crate) struct Members<'a>(pub Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Object).map(Members)
    }
}

impl<'a> Members<'a> {
    /// Reads an object.
    ///
    /// # Errors
    /// The text is no object, or is broken.
    pub fn of(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The first member of that name that is not null, whatever its case: tenants and releases differ in it.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        let named = self.0.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| *value).find(|value| value.get() != "null")
    }

    /// The text of a scalar member; none when it is absent, null, an object or an array.
    pub fn text(&self, name: &str) -> Option<String> {
        scalar::text(self.get(name)?).ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_in_any_case_and_null_is_none() {
        let members =
            Members::of(r#"{"Status":null,"STATUS":"a","Id":12345678901234567890,"Deep":{}}"#).unwrap();
        assert_eq!(members.text("status").as_deref(), Some("a"));
        assert_eq!(members.text("ID").as_deref(), Some("12345678901234567890"));
        assert_eq!((members.text("Deep"), members.text("None")), (None, None));
        assert!(members.get("deep").is_some());
        assert!(Members::of("[]").is_err() && Members::of("").is_err());
    }
}
