//! One stored record: a sparse row of values, with child records below it.

use std::borrow::Cow;
use std::sync::Arc;

use super::derived;
use super::schema::{KeyStyle, Resource};
use super::value::Value;

/// A record of any resource. Attributes that are absent are not shown at all.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub resource: &'static Resource,
    /// Sorted by attribute position.
    values: Vec<(u8, Value)>,
    /// One list for each child resource, in the order of the schema; may be shorter.
    children: Vec<Vec<Record>>,
}

impl Record {
    pub(crate) fn new(resource: &'static Resource, capacity: usize) -> Self {
        Self { resource, values: Vec::with_capacity(capacity), children: Vec::new() }
    }

    /// Sets a value; builds read best when attributes come in the order of the schema.
    pub(crate) fn set(&mut self, attribute: impl Into<u8>, value: Value) -> &mut Self {
        let attribute = attribute.into();
        if self.values.last().is_none_or(|(last, _)| *last < attribute) {
            self.values.push((attribute, value));
            return self;
        }
        match self.values.binary_search_by_key(&attribute, |(at, _)| *at) {
            Ok(found) => self.values[found].1 = value,
            Err(gap) => self.values.insert(gap, (attribute, value)),
        }
        self
    }

    /// Leaves the attribute out of every answer.
    pub(crate) fn unset(&mut self, attribute: u8) {
        self.values.retain(|(at, _)| *at != attribute);
    }

    pub(crate) fn get(&self, attribute: impl Into<u8>) -> Option<&Value> {
        let attribute = attribute.into();
        let found = self.values.binary_search_by_key(&attribute, |(at, _)| *at).ok()?;
        self.values.get(found).map(|(_, value)| value)
    }

    pub(crate) fn text(&self, attribute: impl Into<u8>) -> Option<&Arc<str>> {
        match self.get(attribute) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The digits of an amount or quantity.
    pub(crate) fn number(&self, attribute: impl Into<u8>) -> Option<&str> {
        match self.get(attribute) {
            Some(Value::Number(text) | Value::Raw(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn values(&self) -> &[(u8, Value)] {
        &self.values
    }

    /// The numeric key, 0 when an edit replaced it with something else.
    pub(crate) fn id(&self) -> i64 {
        match self.get(self.resource.key) {
            Some(Value::Id(id) | Value::Integer(id)) => *id,
            _ => 0,
        }
    }

    /// Unix milliseconds of `LastUpdateDate`; `i64::MIN` when it is null.
    pub(crate) fn last_update(&self) -> i64 {
        match self.resource.last_update.and_then(|at| self.get(at)) {
            Some(Value::Instant(ms)) => *ms,
            _ => i64::MIN,
        }
    }

    /// The stored rows of a child.
    pub(crate) fn children(&self, child: usize) -> &[Record] {
        self.children.get(child).map_or(&[], Vec::as_slice)
    }

    /// The rows of a child as others see them: the stored ones, else those that follow from this record.
    pub(crate) fn shown_children(&self, child: usize) -> Cow<'_, [Record]> {
        match (self.children(child), self.resource.children.get(child)) {
            ([], Some(resource)) => Cow::Owned(derived::rows(self, resource)),
            (stored, _) => Cow::Borrowed(stored),
        }
    }

    /// The same rows to change: from now on they are stored.
    pub(crate) fn shown_children_mut(&mut self, child: usize) -> &mut Vec<Record> {
        if let Cow::Owned(rows) = self.shown_children(child) {
            *self.children_mut(child) = rows;
        }
        self.children_mut(child)
    }

    pub(crate) fn children_mut(&mut self, child: usize) -> &mut Vec<Record> {
        while self.children.len() <= child {
            self.children.push(Vec::new());
        }
        &mut self.children[child]
    }

    /// The last segment of the item's path.
    pub(crate) fn path_key(&self) -> String {
        match self.resource.key_style {
            KeyStyle::Plain => self.id().to_string(),
            KeyStyle::Opaque => opaque_key(self.resource, self.id()),
            KeyStyle::Name(attribute) => self.text(attribute).map_or_else(String::new, |name| in_path(name)),
        }
    }
}

/// A name as one segment of a path.
fn in_path(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

/// The name behind a segment of a path.
pub(crate) fn from_path(segment: &str) -> String {
    let form = format!("k={}", segment.replace('+', "%2B").replace('&', "%26"));
    let mut pairs = url::form_urlencoded::parse(form.as_bytes());
    pairs.next().map_or_else(String::new, |(_, name)| name.into_owned())
}

/// Odd, so that multiplying by it can be undone.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
const UNSPREAD: u64 = inverse(SPREAD);
const MASK: u64 = 0x5851_F42D_4C95_7F2D;
/// What every key begins with, as keys of real pods do.
const KEY_PREFIX: &str = "00020000000EACED00057708";

/// The inverse of an odd number modulo 2^64 (Newton's iteration).
const fn inverse(odd: u64) -> u64 {
    let mut guess = odd;
    let mut round = 0;
    while round < 6 {
        guess = guess.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(guess)));
        round += 1;
    }
    guess
}

fn salt(resource: &Resource) -> u64 {
    resource.name.bytes().fold(MASK, |salt, byte| salt.rotate_left(7) ^ u64::from(byte))
}

/// A number that looks random and is the same on every run.
pub(crate) fn scramble(value: u64) -> u64 {
    let mixed = value.wrapping_mul(SPREAD);
    (mixed ^ (mixed >> 29)).wrapping_mul(MASK | 1)
}

/// A place in an order by no attribute; a record that changes gets another.
pub(crate) fn chance(record: &Record) -> u64 {
    scramble(record.id().cast_unsigned() ^ record.last_update().cast_unsigned().rotate_left(20))
}

/// The key of an item in its path, which clients can only take from a link.
pub(crate) fn opaque_key(resource: &Resource, id: i64) -> String {
    let mixed = (id.cast_unsigned() ^ salt(resource)).wrapping_mul(SPREAD);
    format!("{KEY_PREFIX}{mixed:016X}{:08X}", scramble(mixed) >> 32)
}

/// The id behind a key, or nothing when the text is not a key of this resource.
pub(crate) fn id_of_key(resource: &Resource, key: &str) -> Option<i64> {
    let mixed = u64::from_str_radix(key.strip_prefix(KEY_PREFIX)?.get(..16)?, 16).ok()?;
    let id = (mixed.wrapping_mul(UNSPREAD) ^ salt(resource)).cast_signed();
    (opaque_key(resource, id) == key).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::super::schema::{INVOICES, PURCHASE_ORDERS};
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_key_leads_back_to_its_id_and_only_in_its_resource(id in 1_i64..999_999_999_999_999_999) {
            let key = opaque_key(&PURCHASE_ORDERS, id);
            proptest::prop_assert_eq!(id_of_key(&PURCHASE_ORDERS, &key), Some(id));
            proptest::prop_assert_ne!(id_of_key(&INVOICES, &key), Some(id));
            proptest::prop_assert_eq!(id_of_key(&PURCHASE_ORDERS, &id.to_string()), None);
        }
    }
}
