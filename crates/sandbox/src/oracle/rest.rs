//! The REST resources: from a request to a collection, an item, a description or an error.

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};

use super::describe;
use super::erp::schema::ERP_INTEGRATIONS;
use super::errors::{self, ErrorForm, Refusal};
use super::params::{Page, Params};
use super::projection::{Form, Projection};
use super::query::{self, QueryError, Rules};
use super::record::{Record, from_path, id_of_key};
use super::render::{self, PageInfo};
use super::schema::{HEADERS, KeyStyle, Resource, SUPPLIERS, Writes};
use super::search::{self, Found, Wanted};
use super::settings::{LinkStyle, OracleSettings, TotalResults, UnauthorizedBody};
use super::table::Table;
use super::{Oracle, ledger, visibility};

/// Everything below this is the REST framework's.
pub(crate) const ROOT: &str = "/fscmRestApi/resources";
/// The one version of the resources; `latest` stands for it.
pub(crate) const VERSION: &str = "11.13.18.05";
/// Newest version of the framework.
const NEWEST_FRAMEWORK: u8 = 9;

/// What a request is handled with.
pub(super) struct Exchange<'a> {
    pub oracle: &'a Oracle,
    pub settings: &'a OracleSettings,
    pub params: Params,
    pub version: u8,
    pub errors: ErrorForm,
    pub json: bool,
    /// Scheme, host and version root of links.
    pub base: String,
    /// `Content-Type` of the request; empty when absent.
    pub content_type: &'a str,
    pub body: &'a [u8],
}

pub(super) type Answer = Result<Response<Body>, Refusal>;

impl Oracle {
    /// Answers one request of the REST framework.
    pub(crate) fn rest(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Response<Body> {
        let settings = self.settings();
        if let Some(refusal) = self.front_door(&settings, headers) {
            return refusal;
        }
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let accept = header(ACCEPT);
        let Some(version) = framework_version(headers) else {
            return *ErrorForm::new(1, accept).bad_request("The REST framework version is not supported.");
        };
        let exchange = Exchange {
            oracle: self,
            settings: &settings,
            params: Params::read(uri.query().unwrap_or_default()),
            version,
            errors: ErrorForm::new(version, accept),
            json: accept.is_some_and(|accept| accept.contains("application/json")),
            base: base(&settings.links, headers),
            content_type: header(CONTENT_TYPE).unwrap_or_default(),
            body,
        };
        let mut response = exchange.route(method, uri.path()).unwrap_or_else(|refusal| *refusal);
        let header = HeaderName::from_static("rest-framework-version");
        response.headers_mut().insert(header, HeaderValue::from(u16::from(version)));
        response
    }

    /// What stands before the framework: maintenance, rate limit, authentication.
    fn front_door(&self, settings: &OracleSettings, headers: &HeaderMap) -> Option<Response<Body>> {
        if let Some(maintenance) = settings.maintenance {
            let mut response = errors::html(
                StatusCode::SERVICE_UNAVAILABLE,
                "Service Unavailable",
                "Oracle Fusion Cloud Applications is undergoing scheduled maintenance. Please try again later.",
            );
            if let Some(seconds) = maintenance.retry_after {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            return Some(response);
        }
        if let Some(wait) = self.over_limit(settings) {
            let text = "Too many requests.".to_owned();
            let mut response = errors::body(StatusCode::TOO_MANY_REQUESTS, "text/plain", text);
            if let Some(seconds) = wait {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            return Some(response);
        }
        if self.tokens().accepts(headers, self.clock().now()) {
            return None;
        }
        Some(match settings.unauthorized_body {
            UnauthorizedBody::Empty => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::UNAUTHORIZED;
                response
            }
            UnauthorizedBody::Text => {
                errors::body(StatusCode::UNAUTHORIZED, "text/plain", "Unauthorized".to_owned())
            }
            UnauthorizedBody::Html => {
                errors::html(StatusCode::UNAUTHORIZED, "401 Unauthorized", "Sign in to continue.")
            }
        })
    }
}

/// The version asked for; 1 when none is, nothing when it does not exist.
fn framework_version(headers: &HeaderMap) -> Option<u8> {
    let Some(value) = headers.get("rest-framework-version") else { return Some(1) };
    let version: u8 = value.to_str().ok()?.trim().parse().ok()?;
    (1..=NEWEST_FRAMEWORK).contains(&version).then_some(version)
}

fn base(style: &LinkStyle, headers: &HeaderMap) -> String {
    let asked = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or("localhost");
    let host = match style {
        LinkStyle::AsAsked => asked.to_owned(),
        LinkStyle::Port443 => format!("{}:443", asked.split(':').next().unwrap_or(asked)),
        LinkStyle::Host(host) => host.clone(),
    };
    format!("http://{host}{ROOT}/{VERSION}")
}

impl Exchange<'_> {
    fn route(&self, method: &Method, path: &str) -> Answer {
        let rest = path.strip_prefix(ROOT).ok_or_else(|| self.errors.not_found())?;
        let segments: Vec<&str> = rest.split('/').filter(|segment| !segment.is_empty()).collect();
        let below = match segments.split_first() {
            None => return self.read_only(method).map(|()| describe::catalog(self)),
            Some((version, below)) if *version == VERSION || *version == "latest" => below,
            Some(_) => return Err(self.errors.not_found()),
        };
        let Some((name, below)) = below.split_first() else {
            return self.read_only(method).map(|()| describe::version(self));
        };
        if *name == "describe" {
            return Ok(describe::all(self));
        }
        let named = self.resources().find(|resource| resource.name == *name);
        let resource = named.ok_or_else(|| self.errors.not_found())?;
        let deletes = resource.writes == Writes::Delete && *method == Method::DELETE && below.len() == 1;
        if !deletes && resource.name != ERP_INTEGRATIONS.name {
            self.refuse_writes(method, resource)?;
        }
        let access = self.settings.access_to(resource.name);
        if !access.privilege {
            return Err(self.errors.answer(StatusCode::FORBIDDEN, "Forbidden", None));
        }
        if resource.name == ERP_INTEGRATIONS.name {
            return self.erp(method, below);
        }
        self.oracle.settle();
        match below.split_first() {
            None if access.data => self.collection(resource),
            None => self.empty_collection(resource),
            Some((last, [])) if *last == "describe" => Ok(describe::one(self, resource)),
            Some(_) if !access.data => Err(self.errors.not_found()),
            Some((key, [])) if deletes => self.delete_batch(key),
            Some((key, below)) => self.below_item(resource, key, below),
        }
    }

    /// All resources that stand directly below the version, in the spelling of the settings.
    pub(super) fn resources(&self) -> impl Iterator<Item = &'static Resource> {
        let ledger = ledger::schema::resources(&self.settings.ledger);
        HEADERS.into_iter().chain([&SUPPLIERS, &ERP_INTEGRATIONS]).chain(ledger)
    }

    fn read_only(&self, method: &Method) -> Result<(), Refusal> {
        if *method == Method::GET || *method == Method::HEAD {
            return Ok(());
        }
        Err(self.errors.answer(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed", None))
    }

    /// Orders and lists of values know no write operation. Invoices and suppliers do, and batches can be changed, but the
    /// user behind the token lacks the privilege.
    fn refuse_writes(&self, method: &Method, resource: &Resource) -> Result<(), Refusal> {
        let operation = match method.as_str() {
            "GET" | "HEAD" => return Ok(()),
            "POST" => "create",
            "PATCH" => "update",
            "PUT" => "replace",
            "DELETE" => "delete",
            _ => return Err(self.errors.answer(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed", None)),
        };
        if matches!(resource.name, "invoices" | "suppliers")
            || (resource.writes == Writes::Delete && operation == "update")
        {
            return Err(self.errors.answer(StatusCode::FORBIDDEN, "Forbidden", None));
        }
        let text = format!("Invalid operation {operation} for the specified resource.");
        Err(self.errors.bad_request(&text))
    }

    fn rules(&self) -> Rules {
        Rules {
            date_times: self.settings.date_time_literals,
            granularity: self.settings.filter_granularity,
            wildcards: self.settings.wildcards,
            last_update_queryable: self.settings.last_update_queryable,
        }
    }

    fn query_error(&self, error: &QueryError) -> Refusal {
        let detail = match error {
            QueryError::UnknownAttribute => {
                "The query parameter q contains an attribute that is not valid.".to_owned()
            }
            other => format!("The query parameter q is not valid: {other}."),
        };
        self.errors.bad_request(&detail)
    }

    fn wanted(&self, resource: &'static Resource) -> Result<(Wanted, Page), Refusal> {
        let page =
            self.params.page(self.settings.max_limit).map_err(|detail| self.errors.bad_request(&detail))?;
        let text = self.params.get("q").unwrap_or_default();
        let rules = self.rules();
        let filter = match self.version {
            1 => query::example::parse(resource, text, &rules),
            _ => query::rowmatch::parse(resource, text, &rules),
        };
        let filter = filter.map_err(|error| self.query_error(&error))?;
        let finder = self.finder(resource)?;
        let order = search::read_order(resource, self.params.get("orderBy").unwrap_or_default())
            .map_err(|_| self.errors.bad_request("The query parameter orderBy is not valid."))?;
        let sorts_by_date = order.iter().any(|term| Some(term.attribute) == resource.last_update);
        if sorts_by_date
            && !self.settings.last_update_sortable
            && HEADERS.iter().any(|h| h.name == resource.name)
        {
            return Err(self.errors.bad_request("Attribute LastUpdateDate cannot be sorted by."));
        }
        let count_all = page.total_results && self.settings.total_results != TotalResults::Fails;
        if page.total_results && self.settings.total_results == TotalResults::Fails {
            return Err(self.errors.answer(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error", None));
        }
        let filter = query::join(filter, finder);
        Ok((Wanted { filter, order, limit: page.limit, offset: page.offset, count_all }, page))
    }

    fn finder(&self, resource: &'static Resource) -> Result<Option<query::Filter>, Refusal> {
        let intents = &self.settings.intents;
        let Some(finder) = self.params.get("finder") else {
            return Ok(visibility::union(resource, intents));
        };
        let bad = || self.errors.bad_request("The finder is not valid.");
        let (name, variables) = finder.split_once(';').unwrap_or((finder, ""));
        let (_, variable) =
            resource.finders.iter().find(|(known, _)| *known == name.trim()).ok_or_else(bad)?;
        let (given, value) = variables.split_once('=').ok_or_else(bad)?;
        if given.trim() != *variable {
            return Err(bad());
        }
        let value = value.trim().trim_matches('\'');
        if name.trim() == "findByIntent" {
            return visibility::intent(resource, intents, value).ok_or_else(bad);
        }
        let id: i64 = value.parse().map_err(|_| bad())?;
        let key = visibility::key_is(resource, id);
        Ok(query::join(Some(key), visibility::union(resource, intents)))
    }

    pub(super) fn projection(&self, resource: &'static Resource) -> Result<(Projection, Form), Refusal> {
        let projection = Projection::read(resource, self.params.get("fields"), self.params.get("expand"))
            .map_err(|name| self.errors.bad_request(&format!("The query parameter is not valid: {name}.")))?;
        let form = Form {
            version: self.version,
            instants: self.settings.instants,
            child_limit: self.settings.child_limit,
            links: self.params.links(),
            base: self.base.clone(),
        };
        Ok((projection, form))
    }

    fn collection(&self, resource: &'static Resource) -> Answer {
        let (wanted, page) = self.wanted(resource)?;
        let (projection, form) = self.projection(resource)?;
        let key = projection.key(&form);
        let data = self.oracle.data();
        let table = data.table(resource);
        let found = table.search(wanted);
        let path = format!("/{}", resource.name);
        let mut out = String::with_capacity(found.page.len() * 512 + 256);
        out.push_str("{\"items\":[");
        for (place, slot) in found.page.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            if let Some(row) = table.row(*slot) {
                row.append(key, &mut out, |record| {
                    let mut text = String::with_capacity(512);
                    render::item(record, &projection, &form, &path, &mut text);
                    text
                });
            }
        }
        let info = self.page_info(&page, &found);
        render::collection_end(resource.name, &info, &form, &path, &mut out);
        Ok(self.answer("application/vnd.oracle.adf.resourcecollection+json", out))
    }

    fn page_info<T>(&self, page: &Page, found: &Found<T>) -> PageInfo {
        let wrong = usize::from(self.settings.total_results == TotalResults::Wrong);
        PageInfo {
            count: found.page.len(),
            has_more: found.has_more,
            limit: page.limit,
            offset: page.offset,
            total: found.total.map(|total| total + wrong * (total / 3 + 1)),
        }
    }

    /// What a user without data access sees: nothing, and no error. The query is still checked.
    fn empty_collection(&self, resource: &'static Resource) -> Answer {
        let (_, page) = self.wanted(resource)?;
        let (_, form) = self.projection(resource)?;
        let found: Found<usize> =
            Found { page: Vec::new(), has_more: false, total: page.total_results.then_some(0) };
        let mut out = "{\"items\":[".to_owned();
        let info = PageInfo { total: found.total, ..self.page_info(&page, &found) };
        render::collection_end(resource.name, &info, &form, &format!("/{}", resource.name), &mut out);
        Ok(self.answer("application/vnd.oracle.adf.resourcecollection+json", out))
    }

    fn below_item(&self, resource: &'static Resource, key: &str, below: &[&str]) -> Answer {
        let data = self.oracle.data();
        let record = find_item(data.table(resource), key)
            .filter(|record| {
                visibility::union(resource, &self.settings.intents).is_none_or(|seen| seen.accepts(record))
            })
            .ok_or_else(|| self.errors.not_found())?;
        self.walk(record, &format!("/{}", resource.name), below)
    }

    /// Goes down from an item: `child/{name}` or `child/{name}/{key}`, any number of times.
    fn walk(&self, record: &Record, parent: &str, below: &[&str]) -> Answer {
        let (name, deeper) = match below {
            [] => return self.item(record, parent),
            ["child", name, deeper @ ..] => (name, deeper),
            _ => return Err(self.errors.not_found()),
        };
        let (at, resource) = record.resource.child(name).ok_or_else(|| self.errors.not_found())?;
        let path = format!("{parent}/{}/child/{name}", record.path_key());
        let children = record.shown_children(at);
        match deeper {
            [] => self.child_collection(resource, &children, &path),
            ["describe"] => Ok(describe::one(self, resource)),
            [key, deeper @ ..] => {
                let child = find_child(resource, &children, key).ok_or_else(|| self.errors.not_found())?;
                self.walk(child, &path, deeper)
            }
        }
    }

    pub(super) fn item(&self, record: &Record, parent: &str) -> Answer {
        let (projection, form) = self.projection(record.resource)?;
        let mut out = String::with_capacity(1024);
        render::item(record, &projection, &form, parent, &mut out);
        Ok(self.answer("application/vnd.oracle.adf.resourceitem+json", out))
    }

    fn child_collection(&self, resource: &'static Resource, children: &[Record], path: &str) -> Answer {
        let (wanted, page) = self.wanted(resource)?;
        let (projection, form) = self.projection(resource)?;
        let found = search::search_list(children, &wanted);
        let mut out = "{\"items\":[".to_owned();
        for (place, at) in found.page.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            render::item(&children[*at], &projection, &form, path, &mut out);
        }
        render::collection_end(resource.name, &self.page_info(&page, &found), &form, path, &mut out);
        Ok(self.answer("application/vnd.oracle.adf.resourcecollection+json", out))
    }

    /// A success; with `Accept: application/json` the type is plain JSON.
    pub(super) fn answer(&self, media_type: &'static str, text: String) -> Response<Body> {
        let media_type = if self.json { "application/json" } else { media_type };
        let mut response = Response::new(Body::from(text));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        response
    }
}

fn find_item<'t>(table: &'t Table, key: &str) -> Option<&'t Record> {
    let id = match table.resource.key_style {
        KeyStyle::Plain => key.parse().ok()?,
        KeyStyle::Opaque => id_of_key(table.resource, key)?,
        KeyStyle::Name(attribute) => {
            let name = from_path(key);
            return table.records().find(|record| record.text(attribute).is_some_and(|text| **text == *name));
        }
    };
    table.find(id).map(|row| &row.record)
}

fn find_child<'r>(resource: &Resource, children: &'r [Record], key: &str) -> Option<&'r Record> {
    let id = match resource.key_style {
        KeyStyle::Plain => key.parse().ok()?,
        KeyStyle::Opaque => id_of_key(resource, key)?,
        KeyStyle::Name(_) => return None,
    };
    children.iter().find(|child| child.id() == id)
}
