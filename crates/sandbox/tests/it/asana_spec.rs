//! Holds requests and responses against Asana's published OpenAPI document.
//!
//! Self-contained, so that another crate's tests can include this file too. The document is not part of the
//! repository; where it is missing nothing is checked and [`Spec::shared`] says so.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a document that cannot be read must stop the test, and one that is missing must be told"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// Where the document stands, from the folder of the crate under test.
const FILE: &str = "../../../shared/reference/asana-openapi.json";
const PREFIX: &str = "#/components/schemas/";

/// The document, ready to judge.
pub struct Spec {
    document: Value,
    compiled: Mutex<BTreeMap<String, Arc<Validator>>>,
}

/// Which side of a call a schema is for: a request may not hold what is read-only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Request,
    Response,
}

impl Spec {
    /// The document, read once; `None`, and a line that says so, when it is not there.
    pub fn shared() -> Option<&'static Spec> {
        static SPEC: OnceLock<Option<Spec>> = OnceLock::new();
        SPEC.get_or_init(|| {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
            let Ok(text) = std::fs::read_to_string(&file) else {
                println!("skipped: checks against Asana's OpenAPI document, {} is missing", file.display());
                return None;
            };
            let document = serde_json::from_str(&text).expect("the OpenAPI document is JSON");
            Some(Spec { document, compiled: Mutex::default() })
        })
        .as_ref()
    }

    /// What is wrong with a call. `path` may be a template or concrete, with a query and with `/api/1.0` or not.
    pub fn violations(
        &self,
        method: &str,
        path: &str,
        status: u16,
        request: Option<&Value>,
        response: Option<&Value>,
    ) -> Vec<String> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let path = path.strip_prefix("/api/1.0").unwrap_or(path);
        let method = method.to_ascii_lowercase();
        let Some((template, operation)) = self.operation(&method, path) else {
            return vec![format!("no operation {method} {path}")];
        };
        let key = format!("{method} {template}");
        let mut found = self.query_violations(template, operation, query);
        if let Some(request) = request {
            match operation.pointer("/requestBody/content/application~1json/schema") {
                Some(schema) => {
                    found.extend(self.check(&format!("{key} request"), schema, request, Side::Request))
                }
                None => found.push("request: the operation takes no JSON body".to_owned()),
            }
        }
        if let Some(response) = response {
            let schema = self.response_schema(operation, status);
            let response = &without_known_nulls(template, response);
            match schema {
                Some(schema) => {
                    found.extend(self.check(&format!("{key} {status}"), &schema, response, Side::Response));
                    found.extend(envelope(response, status, &schema));
                    if template == "/batch" {
                        found.extend(self.batch(request, response));
                    } else if status < 400 && !query.contains("opt_fields") {
                        found.extend(self.undocumented(operation, &schema, response));
                    }
                }
                None => found.push(format!("status {status} is not documented")),
            }
        }
        found.into_iter().map(|v| format!("{key} {status}: {v}")).collect()
    }

    /// Each action of a batch, as if it had been sent alone.
    fn batch(&self, request: Option<&Value>, response: &Value) -> Vec<String> {
        let actions = request.and_then(|r| r.pointer("/data/actions")?.as_array());
        let results = response.get("data").and_then(Value::as_array);
        let mut found = Vec::new();
        for (action, result) in actions.into_iter().flatten().zip(results.into_iter().flatten()) {
            let text = |name: &str| action.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let (method, mut path) = (text("method"), text("relative_path"));
            let status =
                result.get("status_code").and_then(Value::as_u64).and_then(|s| u16::try_from(s).ok());
            let Some(status) = status else { continue };
            if action.pointer("/options/fields").is_some() {
                path.push_str("?opt_fields=");
            }
            let body = action.get("data").filter(|_| method != "get" && status < 400);
            let body = body.map(|data| json!({ "data": data }));
            // An action that has no business in a batch is refused there and nowhere else.
            if status < 400 || self.operation(&method, &path).is_some() {
                found.extend(self.violations(&method, &path, status, body.as_ref(), result.get("body")));
            }
        }
        found
    }

    /// The template and the operation that a path belongs to; a literal segment goes before a parameter.
    fn operation(&self, method: &str, path: &str) -> Option<(&str, &Value)> {
        let wanted: Vec<&str> = path.trim_matches('/').split('/').collect();
        let paths = self.document.get("paths")?.as_object()?;
        let fits = |template: &str| {
            let parts: Vec<&str> = template.trim_matches('/').split('/').collect();
            parts.len() == wanted.len()
                && parts.iter().zip(&wanted).all(|(p, w)| p == w || (p.starts_with('{') && !w.is_empty()))
        };
        let mut found: Vec<(&str, &Value)> = paths
            .iter()
            .filter(|(template, _)| fits(template))
            .filter_map(|(template, item)| Some((template.as_str(), item.get(method)?)))
            .collect();
        found.sort_by_key(|(template, _)| template.matches('{').count());
        found.into_iter().next()
    }

    fn query_violations(&self, template: &str, operation: &Value, query: &str) -> Vec<String> {
        // some stand at the path, for all its operations
        let path = self.document.get("paths").and_then(|paths| paths.get(template)).unwrap_or(&Value::Null);
        let declared: BTreeSet<&str> = self
            .parameters(path)
            .chain(self.parameters(operation))
            .filter_map(|p| p.get("name")?.as_str())
            .collect();
        let search = declared.contains("projects.any");
        let names =
            query.split('&').filter(|p| !p.is_empty()).map(|p| p.split('=').next().unwrap_or_default());
        names
            .filter(|n| !declared.contains(n))
            // Documented in the text of the search operation alone.
            .filter(|n| !(search && (n.starts_with("custom_fields.") || *n == "limit")))
            .map(|n| format!("query parameter {n} is not documented"))
            .collect()
    }

    fn parameters<'s>(&'s self, operation: &'s Value) -> impl Iterator<Item = &'s Value> {
        let listed = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
        listed.filter_map(|p| match p.get("$ref").and_then(Value::as_str) {
            Some(path) => self.document.pointer(path.trim_start_matches('#')),
            None => Some(p),
        })
    }

    fn response_schema(&self, operation: &Value, status: u16) -> Option<Value> {
        let declared = operation.get("responses")?.get(status.to_string());
        let inline = declared.and_then(|d| d.pointer("/content/application~1json/schema"));
        if status >= 400 && inline.is_none() {
            let plain = [402, 404, 413].contains(&status) || declared.is_some();
            return plain.then(|| json!({ "$ref": format!("{PREFIX}ErrorResponse") }));
        }
        inline.cloned()
    }

    fn check(&self, key: &str, schema: &Value, instance: &Value, side: Side) -> Vec<String> {
        let known = self.compiled.lock().unwrap().get(key).cloned();
        let validator = known.unwrap_or_else(|| {
            let built = Arc::new(self.compile(schema, side));
            self.compiled.lock().unwrap().insert(key.to_owned(), built.clone());
            built
        });
        validator.iter_errors(instance).map(|e| format!("{} at {}", e, e.instance_path())).collect()
    }

    fn compile(&self, schema: &Value, side: Side) -> Validator {
        let mut names = BTreeSet::new();
        self.collect(schema, &mut names);
        let schemas: Map<String, Value> =
            names.iter().filter_map(|n| Some((n.clone(), translate(self.schema(n)?, side)))).collect();
        let mut root = translate(schema, side);
        let object = root.as_object_mut().expect("a schema is an object");
        object.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        object.insert("components".to_owned(), json!({ "schemas": schemas }));
        jsonschema::options()
            .should_validate_formats(true)
            .build(&root)
            .expect("the translated schema is valid")
    }

    fn schema(&self, name: &str) -> Option<&Value> {
        self.document.get("components")?.get("schemas")?.get(name)
    }

    /// The names of all schemas that one refers to, however far.
    fn collect(&self, schema: &Value, names: &mut BTreeSet<String>) {
        match schema {
            Value::Object(members) => {
                if let Some(name) = referred(schema)
                    && names.insert(name.to_owned())
                    && let Some(inner) = self.schema(name)
                {
                    self.collect(inner, names);
                }
                members.values().for_each(|m| self.collect(m, names));
            }
            Value::Array(items) => items.iter().for_each(|i| self.collect(i, names)),
            _ => {}
        }
    }

    /// Members of a default record that neither the schema nor the list of `opt_fields` speaks of.
    fn undocumented(&self, operation: &Value, schema: &Value, response: &Value) -> Vec<String> {
        let mut known: BTreeSet<String> = BTreeSet::new();
        for parameter in self.parameters(operation).filter(|p| p["name"] == "opt_fields") {
            for path in
                parameter.pointer("/schema/items/enum").and_then(Value::as_array).into_iter().flatten()
            {
                known.extend(path.as_str().map(str::to_owned));
            }
        }
        if known.is_empty() {
            return Vec::new();
        }
        if let Some(data) = schema.pointer("/properties/data") {
            self.members(data.get("items").unwrap_or(data), "", &mut known, 0);
        }
        let mut found = BTreeSet::new();
        match response.get("data") {
            Some(Value::Array(rows)) => rows.iter().for_each(|r| walk(r, "", &known, &mut found)),
            Some(record) => walk(record, "", &known, &mut found),
            None => {}
        }
        found.into_iter().collect()
    }

    fn members(&self, schema: &Value, at: &str, known: &mut BTreeSet<String>, depth: usize) {
        if depth > 24 {
            return;
        }
        let inner = depth + 1;
        if let Some(target) = referred(schema).and_then(|name| self.schema(name)) {
            self.members(target, at, known, inner);
        }
        for list in ["allOf", "anyOf", "oneOf"] {
            for branch in schema.get(list).and_then(Value::as_array).into_iter().flatten() {
                self.members(branch, at, known, inner);
            }
        }
        if let Some(items) = schema.get("items") {
            self.members(items, at, known, inner);
        }
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            if path.matches('.').count() < 3 {
                self.members(property, &path, known, inner);
            }
            // A value that the document does not describe may hold anything.
            if !["type", "$ref", "allOf", "anyOf", "oneOf"].iter().any(|k| property.get(k).is_some()) {
                known.insert(format!("{path}.*"));
            }
            known.insert(path);
        }
    }
}

/// The name of the schema that one refers to.
fn referred(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(PREFIX)
}

fn walk(record: &Value, at: &str, known: &BTreeSet<String>, found: &mut BTreeSet<String>) {
    match record {
        Value::Array(rows) => rows.iter().for_each(|r| walk(r, at, known, found)),
        Value::Object(members) => {
            for (name, value) in members {
                let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                // Every resource has the first two, however deep it stands, and those of some types the third.
                let always = matches!(name.as_str(), "gid" | "resource_type" | "resource_subtype");
                if !always && !known.contains(&path) {
                    found.insert(format!("member {path} is not documented"));
                }
                if !known.contains(&format!("{path}.*")) {
                    walk(value, &path, known, found);
                }
            }
        }
        _ => {}
    }
}

/// Members that the document's text says can be null although its schemas do not: those of a webhook that has not
/// failed, the user of an event that Asana itself made, the parent where nothing was added or removed.
fn without_known_nulls(template: &str, response: &Value) -> Value {
    let known: &[&str] = match template {
        "/webhooks" | "/webhooks/{webhook_gid}" => {
            &["last_success_at", "last_failure_at", "next_attempt_after", "failure_deletion_timestamp"]
        }
        "/events" => &["user", "parent"],
        _ => &[],
    };
    let mut response = response.clone();
    let (one, many) = match response.get_mut("data") {
        Some(Value::Array(rows)) => (None, Some(rows.iter_mut())),
        one => (one, None),
    };
    for record in one.into_iter().chain(many.into_iter().flatten()) {
        if let Some(members) = record.as_object_mut() {
            members.retain(|name, value| !(value.is_null() && known.contains(&name.as_str())));
        }
    }
    response
}

/// What the schemas leave open: which members stand at the top, and that an error says something.
fn envelope(response: &Value, status: u16, schema: &Value) -> Vec<String> {
    let Some(top) = response.as_object() else { return vec!["the body is not an object".to_owned()] };
    let allowed: &[&str] = if status < 400 { &["data", "next_page"] } else { &["errors"] };
    let mut found: Vec<String> = top
        .keys()
        .filter(|k| !allowed.contains(&k.as_str()) && schema.pointer(&format!("/properties/{k}")).is_none())
        .map(|k| format!("stray top member {k}"))
        .collect();
    if status < 400 && !top.contains_key("data") {
        found.push("no data".to_owned());
    }
    if status >= 400 {
        let errors = top.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if errors.is_empty() {
            found.push("no errors".to_owned());
        }
        for error in errors {
            for name in ["message", "help"] {
                if error.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
                    found.push(format!("an error without {name}"));
                }
            }
            if error.get("phrase").is_some() != (status == 500) {
                found.push("phrase belongs to 500 and to nothing else".to_owned());
            }
        }
    }
    found
}

/// OpenAPI 3.0 to JSON Schema 2020-12: `nullable` becomes a type, read-only members are refused in requests.
fn translate(schema: &Value, side: Side) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    let mut out = Map::new();
    for (name, value) in members {
        match name.as_str() {
            "nullable" | "example" | "description" | "readOnly" | "title" | "deprecated" | "default" => {}
            "properties" => {
                let properties = value.as_object().into_iter().flatten().map(|(n, p)| {
                    let refused = side == Side::Request && p.get("readOnly") == Some(&json!(true));
                    (n.clone(), if refused { json!(false) } else { translate(p, side) })
                });
                out.insert(name.clone(), Value::Object(properties.collect()));
            }
            "allOf" | "anyOf" | "oneOf" => {
                let branches = value.as_array().into_iter().flatten().map(|b| translate(b, side));
                out.insert(name.clone(), branches.collect());
            }
            "items" | "additionalProperties" | "not" => {
                out.insert(name.clone(), translate(value, side));
            }
            "$ref" | "type" | "enum" | "required" | "format" | "pattern" | "minimum" | "maximum"
            | "minLength" | "maxLength" | "minItems" | "maxItems" | "maxProperties" | "minProperties" => {
                out.insert(name.clone(), value.clone());
            }
            _ => {}
        }
    }
    if members.get("nullable") == Some(&json!(true)) {
        if let Some(kind) = out.get("type").cloned() {
            out.insert("type".to_owned(), json!([kind, "null"]));
        }
        if let Some(Value::Array(values)) = out.get_mut("enum") {
            values.push(Value::Null);
        }
    }
    Value::Object(out)
}
