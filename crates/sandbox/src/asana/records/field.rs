//! Custom field definitions and values.

use super::View;
use crate::asana::json::{Json, Obj};
use crate::asana::number::Percent;
use crate::asana::select::{Class, Select};
use crate::asana::world::{EnumOption, Field, Gid, Kind, Value};
use crate::asana::{text, time};

impl View<'_> {
    /// A definition: no value and no `enabled`.
    pub fn field(self, w: &mut Json, select: Select<'_>, gid: Gid, field: &Field) {
        let mut o = Obj::resource(w, select, gid, "custom_field");
        self.definition(&mut o, field);
        o.close();
    }

    /// A definition with the value of one task beside it.
    pub fn field_value(
        self,
        w: &mut Json,
        select: Select<'_>,
        gid: Gid,
        value: Option<&Value>,
        enabled: Enabled,
    ) {
        let Some(field) = self.world.fields.get(&gid) else {
            w.raw("null");
            return;
        };
        let mut o = Obj::resource(w, select, gid, "custom_field");
        o.bool("enabled", Class::Compact, matches!(enabled, Enabled::Yes));
        self.definition(&mut o, field);
        self.value(&mut o, field, value);
        if o.want("display_value", Class::Compact).is_some() {
            match value {
                Some(v) => o.w.string(&self.shown(field, v)),
                None => o.w.raw("null"),
            }
        }
        o.close();
    }

    /// The members of a definition.
    pub fn definition(self, o: &mut Obj<'_, '_>, field: &Field) {
        let number = field.kind == Kind::Number;
        o.str("name", Class::Compact, &field.name);
        o.str("type", Class::Compact, field.kind.name());
        o.str("resource_subtype", Class::Full, field.kind.name());
        let representation = field.representation.as_deref().unwrap_or(field.kind.name());
        o.str("representation_type", Class::Compact, representation);
        o.opt_str("id_prefix", Class::Compact, field.id_prefix.as_deref());
        o.bool("is_formula_field", Class::Compact, representation == "formula");
        if field.kind.has_options()
            && let Some(inner) = o.want("enum_options", Class::Compact)
        {
            o.w.array(&field.options, |w, option| self.option(w, inner, option));
        }
        if field.kind == Kind::Reference && o.want("input_restrictions", Class::Compact).is_some() {
            o.w.array(&field.input_restrictions, |w, kind| w.string(kind));
        }
        if number {
            o.lit("precision", Class::Full, field.precision);
            o.str("format", Class::Full, &field.format);
            o.opt_str("currency_code", Class::Full, field.currency_code.as_deref());
            o.opt_str("custom_label", Class::Full, field.custom_label.as_deref());
            o.opt_str("custom_label_position", Class::Full, field.custom_label_position.as_deref());
        }
        o.str("description", Class::Full, &field.description);
        o.bool("is_global_to_workspace", Class::Full, field.local_to.is_none());
        o.bool("has_notifications_enabled", Class::Full, field.notifications);
        o.bool("is_value_read_only", Class::Full, field.read_only());
        o.str("privacy_setting", Class::Full, &field.privacy);
        o.str("default_access_level", Class::Full, &field.default_access);
        o.lit("asana_created_field", Class::OptIn, "null");
        if let Some(inner) = o.want("created_by", Class::Full) {
            self.user(o.w, inner, field.created_by);
        }
    }

    pub fn option(self, w: &mut Json, select: Select<'_>, option: &EnumOption) {
        let mut o = Obj::resource(w, select, option.gid, "enum_option");
        o.str("name", Class::Compact, &option.name);
        o.bool("enabled", Class::Compact, option.enabled);
        o.str("color", Class::Compact, &option.color);
        o.close();
    }

    fn value(self, o: &mut Obj<'_, '_>, field: &Field, value: Option<&Value>) {
        match field.kind {
            Kind::Text => {
                let plain = if let Some(Value::Text(t)) = value { Some(t.as_str()) } else { None };
                o.opt_str("text_value", Class::Compact, plain);
                if o.want("html_text_value", Class::Full).is_some() {
                    o.w.opt_string(plain.map(text::to_html).as_deref());
                }
            }
            Kind::Number => {
                let number = if let Some(Value::Number(n)) = value { n.text() } else { "null" };
                o.lit("number_value", Class::Compact, number);
            }
            Kind::Enum => self.enum_value(o, field, value),
            Kind::MultiEnum => {
                let chosen: &[Gid] = if let Some(Value::Multi(g)) = value { g } else { &[] };
                if let Some(inner) = o.want("multi_enum_values", Class::Compact) {
                    let options = chosen.iter().filter_map(|g| field.option(*g));
                    o.w.array(options, |w, option| self.option(w, inner.at_least_compact(), option));
                }
            }
            Kind::Date => date_value(o, value),
            Kind::People => {
                let people: &[Gid] = if let Some(Value::People(g)) = value { g } else { &[] };
                if let Some(inner) = o.want("people_value", Class::Compact) {
                    o.w.array(people, |w, user| self.user(w, inner, *user));
                }
            }
            Kind::Reference => {
                let things: &[Gid] = if let Some(Value::Reference(g)) = value { g } else { &[] };
                if let Some(inner) = o.want("reference_value", Class::Compact) {
                    o.w.array(things, |w, gid| self.reference(w, inner, *gid));
                }
            }
        }
    }

    fn enum_value(self, o: &mut Obj<'_, '_>, field: &Field, value: Option<&Value>) {
        let chosen = if let Some(Value::Enum(g)) = value { field.option(*g) } else { None };
        if let Some(inner) = o.want("enum_value", Class::Compact) {
            match chosen {
                Some(option) => self.option(o.w, inner.at_least_compact(), option),
                None => o.w.raw("null"),
            }
        }
    }

    fn reference(self, w: &mut Json, select: Select<'_>, gid: Gid) {
        if self.world.projects.contains_key(&gid) {
            self.project_by_gid(w, select, gid);
        } else {
            self.task_by_gid(w, select, gid);
        }
    }

    /// The value as text. How Asana groups digits or places a currency sign is not documented: plain digits with
    /// the field's number of decimals are written.
    pub fn shown(self, field: &Field, value: &Value) -> String {
        let names = |gids: &[Gid], name: &dyn Fn(Gid) -> String| {
            gids.iter().map(|g| name(*g)).collect::<Vec<_>>().join(", ")
        };
        let option = |g: Gid| field.option(g).map_or(String::new(), |o| o.name.clone());
        match value {
            Value::Text(text) => text.clone(),
            Value::Number(n) => {
                let percent = if field.format == "percentage" { Percent::Yes } else { Percent::No };
                n.shown(u32::from(field.precision), percent)
            }
            Value::Enum(g) => option(*g),
            Value::Multi(gs) => names(gs, &option),
            Value::Date(day, None) => format!("{day}T00:00:00.000Z"),
            Value::Date(_, Some(at)) => time::instant(*at).to_string(),
            Value::People(gs) => {
                names(gs, &|g| self.world.users.get(&g).map_or(String::new(), |u| u.name.clone()))
            }
            Value::Reference(gs) => {
                names(gs, &|g| match (self.world.tasks.get(&g), self.world.projects.get(&g)) {
                    (Some(t), _) => t.name.clone(),
                    (None, Some(p)) => p.name.clone(),
                    (None, None) => String::new(),
                })
            }
        }
    }
}

/// Whether a value still belongs to a field of one of the task's projects.
#[derive(Clone, Copy)]
pub(crate) enum Enabled {
    Yes,
    No,
}

fn date_value(o: &mut Obj<'_, '_>, value: Option<&Value>) {
    let Some(inner) = o.want("date_value", Class::Compact) else { return };
    match value {
        Some(Value::Date(day, at)) => {
            let mut d = Obj::plain(o.w, inner);
            d.date("date", Class::Compact, Some(*day));
            // The OpenAPI document has no null here although its text says that there is one; without a time
            // the member is left out.
            if at.is_some() {
                d.time("date_time", Class::Compact, *at);
            }
            d.close();
        }
        _ => o.w.raw("null"),
    }
}
