//! The requests of `erpintegrations`.

use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::job::Work;
use super::request::{Attributes, BulkImport, Files, Operation, operation};
use super::schema::ERP_INTEGRATIONS;
use super::settings::{RefusedWith, RequestIds, UnknownAccount};
use super::{JOURNAL_IMPORT, PACKAGE, log};
use crate::oracle::describe;
use crate::oracle::errors::Refusal;
use crate::oracle::record::Record;
use crate::oracle::render::{self, PageInfo};
use crate::oracle::rest::{Answer, Exchange};
use crate::oracle::value::Value;

/// What `ReqstId` says when nothing was scheduled.
const NOT_SCHEDULED: i64 = -1;

const ITEM: &str = "application/vnd.oracle.adf.resourceitem+json";

impl Exchange<'_> {
    /// Answers a request below `erpintegrations`.
    pub(in crate::oracle) fn erp(&self, method: &Method, below: &[&str]) -> Answer {
        self.oracle.settle();
        match (method.as_str(), below) {
            ("GET" | "HEAD", []) => self.status_of_job(),
            ("GET" | "HEAD", ["describe"]) => Ok(describe::one(self, &ERP_INTEGRATIONS)),
            ("POST", []) => self.run_operation(),
            ("GET" | "HEAD", _) => Err(self.errors.not_found()),
            _ => Err(self.errors.answer(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed", None)),
        }
    }

    fn run_operation(&self) -> Answer {
        let media_type = self.content_type.split(';').next().unwrap_or_default().trim();
        if !["application/json", ITEM].contains(&media_type) {
            return Err(self.errors.answer(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Unsupported Media Type",
                None,
            ));
        }
        let refused = |detail: String| self.errors.bad_request(&detail);
        let attributes = Attributes::read(self.body).map_err(refused)?;
        match operation(&attributes).map_err(refused)? {
            Operation::Import(import) => {
                let request = self.import(import)?;
                self.scheduled(&attributes, request)
            }
            Operation::Submit { package, definition, parameters } => {
                let request = self.submit(&package, &definition, parameters);
                self.scheduled(&attributes, request)
            }
            Operation::DownloadLogs { request, files } => self.logs(&attributes, request, files),
        }
    }

    /// Whether the user may run jobs at all.
    fn may_schedule(&self) -> bool {
        self.settings.erp.job_privilege && self.settings.access_to(ERP_INTEGRATIONS.name).data
    }

    fn import(&self, import: BulkImport) -> Result<Option<i64>, Refusal> {
        let settings = &self.settings.erp;
        if !self.may_schedule() || import.job != JOURNAL_IMPORT {
            return Ok(None);
        }
        let plain = |account: &str| account.replace('$', "");
        let account = plain(&import.account);
        let is_known = settings.document_accounts.iter().any(|known| plain(known) == account);
        let refused = match settings.unknown_account {
            _ if is_known => None,
            UnknownAccount::NotScheduled => return Ok(None),
            UnknownAccount::BadRequest => {
                return Err(self
                    .errors
                    .bad_request("The value of attribute \"DocumentAccount\" is not valid."));
            }
            UnknownAccount::LoadFails => Some(format!("no access to the account {}", import.account)),
        };
        let now = self.oracle.now_ms();
        let id = self.oracle.data_mut().erp.import(import, refused, settings, now);
        Ok(Some(id))
    }

    fn submit(&self, package: &str, definition: &str, parameters: String) -> Option<i64> {
        let work = match definition {
            "JournalImportLauncher" => Work::Import,
            "AutomaticPosting" => Work::Post,
            _ => return None,
        };
        if !self.may_schedule() || package.trim_end_matches('/') != PACKAGE {
            return None;
        }
        let now = self.oracle.now_ms();
        Some(self.oracle.data_mut().erp.submit(work, parameters, true, &self.settings.erp, now))
    }

    /// The answer to a submission. What takes no time is done before it.
    fn scheduled(&self, attributes: &Attributes, request: Option<i64>) -> Answer {
        self.oracle.settle();
        let mut record = echo(attributes);
        let id = request.unwrap_or(NOT_SCHEDULED);
        set(
            &mut record,
            "ReqstId",
            match self.settings.erp.request_ids {
                RequestIds::ByVersion => Value::Id(id),
                RequestIds::Text => Value::text(&id.to_string()),
                RequestIds::Number => Value::Integer(id),
            },
        );
        let refused_with_200 = request.is_none() && self.settings.erp.refused_with == RefusedWith::Ok;
        self.created(&record, if refused_with_200 { StatusCode::OK } else { StatusCode::CREATED })
    }

    fn logs(&self, attributes: &Attributes, id: i64, files: Files) -> Answer {
        let mut record = echo(attributes);
        let data = self.oracle.data();
        if let Some(request) = data.erp.request_of(id).filter(|request| request.has_logs) {
            let content = log::files(request, id, files);
            let content = content.map_err(|_| {
                self.errors.answer(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error", None)
            })?;
            set(&mut record, "DocumentContent", Value::text(&STANDARD.encode(content)));
        }
        self.created(&record, StatusCode::CREATED)
    }

    fn created(&self, record: &Record, status: StatusCode) -> Answer {
        let mut response = self.item(record, &format!("/{}", ERP_INTEGRATIONS.name))?;
        *response.status_mut() = status;
        Ok(response)
    }

    /// `ESSJobStatusRF` and `ESSExecutionDetailsRF`: one item, whose status is empty for a job that was not
    /// submitted here. Without a finder there is nothing to list.
    fn status_of_job(&self) -> Answer {
        let Some(finder) = self.params.get("finder") else { return self.items(&[]) };
        let bad = || self.errors.bad_request("The finder is not valid.");
        let (name, variables) = finder.split_once(';').ok_or_else(bad)?;
        let (variable, value) = variables.split_once('=').ok_or_else(bad)?;
        if variable.trim() != "requestId" {
            return Err(bad());
        }
        let id: i64 = value.trim().trim_matches('\'').parse().map_err(|_| bad())?;
        let data = self.oracle.data();
        let request = data.erp.request_of(id);
        let visible = request.filter(|request| request.id == id || self.settings.erp.children_visible);
        let tree = visible.map(super::job::Request::tree);
        let job = tree.as_ref().and_then(|tree| tree.flat().into_iter().find(|job| job.id == id));
        if !self.settings.access_to(ERP_INTEGRATIONS.name).data {
            return self.items(&[]);
        }
        let shown = match name.trim() {
            "ESSJobStatusRF" => job.map(|job| job.status.text().to_owned()),
            "ESSExecutionDetailsRF" => job.map(|job| serde_json::json!({ "JOBS": job.json() }).to_string()),
            _ => return Err(bad()),
        };
        let mut record = blank();
        set(&mut record, "RequestStatus", Value::text(&shown.unwrap_or_default()));
        self.items(&[record])
    }

    fn items(&self, records: &[Record]) -> Answer {
        let page =
            self.params.page(self.settings.max_limit).map_err(|detail| self.errors.bad_request(&detail))?;
        let (projection, form) = self.projection(&ERP_INTEGRATIONS)?;
        let path = format!("/{}", ERP_INTEGRATIONS.name);
        let mut out = "{\"items\":[".to_owned();
        for (place, record) in records.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            render::item(record, &projection, &form, &path, &mut out);
        }
        let (limit, total) = (page.limit, page.total_results.then_some(records.len()));
        let info = PageInfo { count: records.len(), has_more: false, limit, offset: page.offset, total };
        render::collection_end(ERP_INTEGRATIONS.name, &info, &form, &path, &mut out);
        Ok(self.answer("application/vnd.oracle.adf.resourcecollection+json", out))
    }
}

fn set(record: &mut Record, name: &str, value: Value) {
    if let Some(at) = ERP_INTEGRATIONS.attribute(name) {
        record.set(at, value);
    }
}

/// An item with nothing in it.
fn blank() -> Record {
    let mut record = Record::new(&ERP_INTEGRATIONS, ERP_INTEGRATIONS.attributes.len());
    for (at, attribute) in (0..).zip(ERP_INTEGRATIONS.attributes) {
        if !attribute.hidden {
            record.set(at, Value::Null);
        }
    }
    record
}

/// An item with what was sent.
fn echo(attributes: &Attributes) -> Record {
    let mut record = blank();
    for attribute in ERP_INTEGRATIONS.attributes.iter().filter(|attribute| !attribute.hidden) {
        if let Some(text) = attributes.get(attribute.name) {
            set(&mut record, attribute.name, Value::text(text));
        }
    }
    record
}
