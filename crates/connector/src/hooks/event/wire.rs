//! The form of a delivery as it comes: borrowed from its text, and forgiving.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::MAX_EVENTS;

/// `{"events": […]}`; a body without the list is none of Asana's.
#[derive(Deserialize)]
pub(super) struct Delivery<'a> {
    #[serde(borrow)]
    pub(super) events: Events<'a>,
}

/// The list, cut off with an error when it is too long.
pub(super) struct Events<'a>(pub(super) Vec<Lenient<EventMembers<'a>>>);

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct EventMembers<'a> {
    #[serde(borrow)]
    pub(super) user: Lenient<Reference<'a>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) created_at: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) action: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) resource: Lenient<Reference<'a>>,
    #[serde(borrow)]
    pub(super) parent: Lenient<Reference<'a>>,
    #[serde(borrow)]
    pub(super) change: Lenient<Change<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Reference<'a> {
    #[serde(borrow, deserialize_with = "text")]
    pub(super) gid: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) resource_type: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Change<'a> {
    #[serde(borrow, deserialize_with = "text")]
    pub(super) field: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) action: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) new_value: Lenient<Reference<'a>>,
    #[serde(borrow)]
    pub(super) added_value: Lenient<Reference<'a>>,
    #[serde(borrow)]
    pub(super) removed_value: Lenient<Reference<'a>>,
}

/// An object, or the default where something else stands.
#[derive(Default)]
pub(super) struct Lenient<T>(pub(super) T);

impl<'de: 'a, 'a> Deserialize<'de> for Events<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for List<'a> {
            type Value = Events<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of events")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Events<'a>, A::Error> {
                let mut events = Vec::new();
                while let Some(event) = list.next_element()? {
                    if events.len() >= MAX_EVENTS {
                        return Err(A::Error::custom("too many events"));
                    }
                    events.push(event);
                }
                Ok(Events(events))
            }
        }
        deserializer.deserialize_seq(List(PhantomData))
    }
}

impl<'de, T: Default + Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<T>(PhantomData<T>);
        impl<'de, T: Default + Deserialize<'de>> Visitor<'de> for Object<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(T::default())
            }
            fn visit_bool<E: Error>(self, _: bool) -> Result<T, E> {
                Ok(T::default())
            }
            fn visit_i64<E: Error>(self, _: i64) -> Result<T, E> {
                Ok(T::default())
            }
            fn visit_u64<E: Error>(self, _: u64) -> Result<T, E> {
                Ok(T::default())
            }
            fn visit_f64<E: Error>(self, _: f64) -> Result<T, E> {
                Ok(T::default())
            }
            fn visit_str<E: Error>(self, _: &str) -> Result<T, E> {
                Ok(T::default())
            }
            fn visit_unit<E: Error>(self) -> Result<T, E> {
                Ok(T::default())
            }
        }
        deserializer.deserialize_any(Object(PhantomData)).map(Lenient)
    }
}

/// A text, or nothing where something else stands.
fn text<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'a, str>>, D::Error> {
    struct Text<'a>(PhantomData<&'a ()>);
    impl<'de: 'a, 'a> Visitor<'de> for Text<'a> {
        type Value = Option<Cow<'a, str>>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }
        fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(Some(Cow::Borrowed(text)))
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Some(Cow::Owned(text.to_owned())))
        }
        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(None)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(None)
        }
        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
    deserializer.deserialize_any(Text(PhantomData))
}
