//! Taking names out of JSON whose other values are still needed, to the letter: only texts are replaced, so that no amount,
//! id or date changes. Pure.

use std::borrow::Cow;

use super::MARK;
use super::needle::Needle;

/// Beginnings of attributes that describe a supplier and nothing else.
const OF_SUPPLIERS: &[&str] =
    &["Supplier", "RemitTo", "Party", "Payee", "Bank", "ExternalBank", "Taxpayer", "TaxRegistration"];

/// Which texts go besides those that say a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Besides {
    /// None.
    Nothing,
    /// Of a supplier's record, what describes the supplier; not its id and number.
    Suppliers,
    /// Of a journal, the task's name.
    TaskName,
}

impl Besides {
    fn takes(self, attribute: &str) -> bool {
        match self {
            Besides::Nothing => false,
            Besides::Suppliers => {
                OF_SUPPLIERS.iter().any(|start| attribute.starts_with(start))
                    && attribute != "SupplierNumber"
                    && !attribute.ends_with("Id")
            }
            Besides::TaskName => attribute == "task_name",
        }
    }
}

/// The JSON with [`MARK`] in place of each text that says a name or belongs to `besides`; `None` when nothing changes.
#[must_use]
pub fn redact(json: &str, needle: &Needle, besides: Besides) -> Option<String> {
    let mut out = String::with_capacity(json.len());
    let (mut rest, mut attribute, mut changed) = (json, Cow::Borrowed(""), false);
    while let Some(start) = rest.find('"') {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let (quoted, after) = from.split_at(end_of_text(from));
        let text = read(quoted);
        if after.trim_start().starts_with(':') {
            out.push_str(quoted);
            attribute = text;
        } else if text != MARK && !text.is_empty() && (needle.says(&text) || besides.takes(&attribute)) {
            out.push('"');
            out.push_str(MARK);
            out.push('"');
            changed = true;
        } else {
            out.push_str(quoted);
        }
        rest = after;
    }
    out.push_str(rest);
    changed.then_some(out)
}

/// Where the text ends that begins here with a quote: behind its other quote.
fn end_of_text(from: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in from.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    from.len()
}

fn read(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.trim_matches('"');
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    serde_json::from_str::<String>(quoted).map_or(Cow::Borrowed(inner), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn acme() -> Needle {
        Needle::names(&["ACME".to_owned()]).unwrap()
    }

    #[test]
    fn only_texts_that_name_or_describe_the_supplier_go() {
        let order = r#"{"POHeaderId":1, "Supplier" : "ACME","SupplierId":7,"SupplierNumber":"12","Total":10.5000,
            "SupplierSite":"North","SupplierEmailAddress":null,"ACME":"kept as a name of an attribute",
            "Description":"parts of \"acme\"","lines":[{"Ordered":1e2,"Description":"other"}]}"#;
        let redacted = redact(order, &acme(), Besides::Suppliers).unwrap();
        assert_eq!(
            redacted,
            r#"{"POHeaderId":1, "Supplier" : "[erased]","SupplierId":7,"SupplierNumber":"12","Total":10.5000,
            "SupplierSite":"[erased]","SupplierEmailAddress":null,"ACME":"kept as a name of an attribute",
            "Description":"[erased]","lines":[{"Ordered":1e2,"Description":"other"}]}"#
        );
        assert_eq!(redact(&redacted, &acme(), Besides::Suppliers), None, "what is erased stays so");
    }

    #[test]
    fn what_names_nobody_stays_as_it_is() {
        for json in ["", "{}", "[1.50]", r#""open"#, r#"{"a":"acmes","b":["x"]}"#] {
            assert_eq!(redact(json, &acme(), Besides::Nothing), None, "{json}");
        }
        let plan = r#"{"task_name":"Roof","amount":"1.00"}"#;
        assert_eq!(redact(plan, &acme(), Besides::Nothing), None);
        let named = redact(plan, &acme(), Besides::TaskName);
        assert_eq!(named.as_deref(), Some(r#"{"task_name":"[erased]","amount":"1.00"}"#));
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i32>().prop_map(Value::from),
            prop_oneof![Just("ACME".to_owned()), "[a-z\"\\\\\n{}:,é]{0,6}", Just("by acme: 1".to_owned())]
                .prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z\"\\\\]{0,4}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn replaced(value: &Value) -> Value {
        match value {
            Value::String(text) if acme().says(text) => Value::from(MARK),
            Value::Array(all) => all.iter().map(replaced).collect(),
            Value::Object(all) => {
                Value::Object(all.iter().map(|(name, value)| (name.clone(), replaced(value))).collect())
            }
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn it_is_the_same_json_but_for_these_texts(value in json()) {
            let text = value.to_string();
            let redacted = redact(&text, &acme(), Besides::Nothing).unwrap_or_else(|| text.clone());
            prop_assert_eq!(serde_json::from_str::<Value>(&redacted).unwrap(), replaced(&value));
        }

        #[test]
        fn any_text_at_all_is_survived(text in ".{0,60}") {
            let _ = redact(&text, &acme(), Besides::Suppliers);
        }
    }
}
