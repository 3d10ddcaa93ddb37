//! Writes answers as text straight from the store, so that a listing of a hundred tasks builds no tree
//! and a number keeps the digits that it is stored with.

use std::fmt::{Display, Write as _};

use super::select::{Class, Select};
use super::world::Gid;

/// JSON text that grows.
#[derive(Default)]
pub(crate) struct Json(String);

impl Json {
    pub fn raw(&mut self, text: &str) {
        self.0.push_str(text);
    }

    pub fn string(&mut self, text: &str) {
        // Serializing a str cannot fail; an empty text is still valid JSON.
        self.0.push_str(&serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned()));
    }

    pub fn display(&mut self, value: impl Display) {
        let _ = write!(self.0, "{value}");
    }

    pub fn opt_string(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.string(text),
            None => self.raw("null"),
        }
    }

    pub fn finish(self) -> String {
        self.0
    }

    /// Writes `[a,b,…]`, calling `each` once per item.
    pub fn array<T>(&mut self, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        self.raw("[");
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 {
                self.raw(",");
            }
            each(self, item);
        }
        self.raw("]");
    }
}

/// One object being written: knows which members were asked for.
pub(crate) struct Obj<'w, 's> {
    pub w: &'w mut Json,
    select: Select<'s>,
    any: bool,
}

impl<'w, 's> Obj<'w, 's> {
    /// Opens the record of a resource; its gid is always written.
    pub fn resource(w: &'w mut Json, select: Select<'s>, gid: Gid, resource_type: &str) -> Self {
        w.raw("{\"gid\":\"");
        w.display(gid);
        w.raw("\"");
        let mut obj = Self { w, select, any: true };
        obj.str("resource_type", Class::Id, resource_type);
        obj
    }

    /// Opens an object that has no gid; all its members are written unless narrowed by paths.
    pub fn plain(w: &'w mut Json, select: Select<'s>) -> Self {
        w.raw("{");
        Self { w, select: select.at_least_compact(), any: false }
    }

    /// Writes the key if the member is wanted and says what is wanted inside it.
    pub fn want(&mut self, name: &str, class: Class) -> Option<Select<'s>> {
        self.want_with(name, class, Select::Compact)
    }

    /// Like [`Obj::want`], with what a record holds inside the member when nobody named it.
    pub fn want_with(&mut self, name: &str, class: Class, standing: Select<'s>) -> Option<Select<'s>> {
        let child = self.select.child(name, class, standing)?;
        if self.any {
            self.w.raw(",");
        }
        self.any = true;
        self.w.raw("\"");
        self.w.raw(name);
        self.w.raw("\":");
        Some(child)
    }

    pub fn str(&mut self, name: &str, class: Class, value: &str) {
        if self.want(name, class).is_some() {
            self.w.string(value);
        }
    }

    pub fn opt_str(&mut self, name: &str, class: Class, value: Option<&str>) {
        if self.want(name, class).is_some() {
            self.w.opt_string(value);
        }
    }

    pub fn bool(&mut self, name: &str, class: Class, value: bool) {
        self.lit(name, class, value);
    }

    /// A member whose text is JSON already: a number, `true`, `null`.
    pub fn lit(&mut self, name: &str, class: Class, value: impl Display) {
        if self.want(name, class).is_some() {
            self.w.display(value);
        }
    }

    /// An instant in Asana's form, or null.
    pub fn time(&mut self, name: &str, class: Class, value: Option<jiff::Timestamp>) {
        if self.want(name, class).is_some() {
            match value {
                Some(at) => {
                    self.w.raw("\"");
                    self.w.display(super::time::instant(at));
                    self.w.raw("\"");
                }
                None => self.w.raw("null"),
            }
        }
    }

    pub fn date(&mut self, name: &str, class: Class, value: Option<jiff::civil::Date>) {
        if self.want(name, class).is_some() {
            match value {
                Some(day) => {
                    self.w.raw("\"");
                    self.w.display(day);
                    self.w.raw("\"");
                }
                None => self.w.raw("null"),
            }
        }
    }

    pub fn close(self) {
        self.w.raw("}");
    }
}
