//! What an answer other than success says about itself.

use std::fmt;

use serde::Deserialize;

/// The longest piece of the server's text that is kept, in characters.
const MAX_TEXT: usize = 500;

/// An answer that was not what was asked for.
///
/// The structured form has `title`, `detail` and `o:errorDetails`; anything else is kept as plain text, of an
/// HTML page only its title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What was asked for.
    pub resource: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// Oracle's `o:errorCode`.
    pub code: Option<String>,
    /// The title of the structured form or of an HTML page.
    pub title: Option<String>,
    /// The details of the structured form, or the plain text; at most 500 characters.
    pub detail: Option<String>,
    /// The attribute that the error is about, `o:errorPath`.
    pub path: Option<String>,
    /// Whether the body was HTML.
    pub html: bool,
}

#[derive(Deserialize)]
struct Structured {
    title: Option<String>,
    detail: Option<String>,
    #[serde(rename = "o:errorCode")]
    code: Option<String>,
    #[serde(rename = "o:errorDetails", default)]
    details: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    detail: Option<String>,
    #[serde(rename = "o:errorCode")]
    code: Option<String>,
    #[serde(rename = "o:errorPath")]
    path: Option<String>,
}

impl Fault {
    /// A 429 whose time is not over, so that nothing was sent.
    pub(crate) fn still_busy(resource: &'static str) -> Self {
        let detail = Some("its time to wait is not over, nothing was sent".to_owned());
        Self { resource, status: 429, code: None, title: None, detail, path: None, html: false }
    }

    /// Reads what an answer says. `secrets` are taken out of it, should the server echo them.
    pub(crate) fn read(
        resource: &'static str,
        status: u16,
        body: &[u8],
        html: bool,
        secrets: &[&str],
    ) -> Self {
        let clean = |text: &str| Some(cleaned(text, secrets)).filter(|text| !text.is_empty());
        let mut fault = Self { resource, status, code: None, title: None, detail: None, path: None, html };
        if html {
            fault.title = html_title(&String::from_utf8_lossy(body)).and_then(|title| clean(&title));
            return fault;
        }
        let Ok(structured) = serde_json::from_slice::<Structured>(body) else {
            fault.detail = clean(&String::from_utf8_lossy(body));
            return fault;
        };
        let first = |get: fn(&Detail) -> Option<&str>| structured.details.iter().find_map(get);
        let inner = first(|d| d.detail.as_deref());
        fault.code = structured.code.as_deref().or_else(|| first(|d| d.code.as_deref())).and_then(clean);
        fault.title = structured.title.as_deref().and_then(clean);
        fault.path = first(|d| d.path.as_deref()).and_then(clean);
        fault.detail = match (structured.detail.as_deref(), inner) {
            (Some(outer), Some(inner)) if outer != inner => clean(&format!("{outer}: {inner}")),
            (outer, inner) => outer.or(inner).and_then(clean),
        };
        fault
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: Oracle answered {}", self.resource, self.status)?;
        if self.html {
            f.write_str(" with an HTML page")?;
        }
        for text in [&self.title, &self.detail].into_iter().flatten() {
            write!(f, ": {text}")?;
        }
        if let Some(code) = &self.code {
            write!(f, " [{code}]")?;
        }
        Ok(())
    }
}

/// One line of at most 500 characters without secrets.
pub(crate) fn cleaned(text: &str, secrets: &[&str]) -> String {
    let mut text = text.trim().to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "[secret]");
    }
    text.chars().take(MAX_TEXT).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Whether a page or text speaks of maintenance, as Oracle's 503 does while a pod is being maintained.
pub(crate) fn announces_maintenance(body: &[u8]) -> bool {
    const WORD: &[u8] = b"maintenance";
    body.windows(WORD.len()).any(|window| window.eq_ignore_ascii_case(WORD))
}

fn html_title(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower.get(start..)?.find('>')? + 1;
    let end = start + lower.get(start..)?.find("</title")?;
    page.get(start..end).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str, html: bool) -> Fault {
        Fault::read("invoices", 400, body.as_bytes(), html, &["s3cr3t"])
    }

    #[test]
    fn the_structured_form_is_read() {
        let fault = read(
            r#"{"title":"Bad Request","status":"400","detail":"Wrong","o:errorDetails":[{"detail":"No such party","o:errorCode":"27024","o:errorPath":"/PartyId"}]}"#,
            false,
        );
        assert_eq!(fault.code.as_deref(), Some("27024"));
        assert_eq!(fault.path.as_deref(), Some("/PartyId"));
        assert_eq!(
            fault.to_string(),
            "invoices: Oracle answered 400: Bad Request: Wrong: No such party [27024]"
        );
        let top = read(r#"{"title":"x","o:errorCode":"GL-782245"}"#, false);
        assert_eq!(top.code.as_deref(), Some("GL-782245"));
    }

    #[test]
    fn other_text_is_kept_on_one_line_and_cut() {
        let fault = read(&format!("line one\nline two {}", "ü".repeat(600)), false);
        let detail = fault.detail.unwrap();
        assert!(detail.starts_with("line one line two ü"));
        assert_eq!(detail.chars().count(), MAX_TEXT);
    }

    #[test]
    fn of_a_page_only_its_title_is_kept() {
        let fault = read("<!doctype html><html><head><TITLE>Down</TITLE></head><body>İ</body></html>", true);
        assert_eq!(fault.title.as_deref(), Some("Down"));
        assert_eq!(fault.detail, None);
        assert_eq!(read("<title>never closed", true).title, None);
    }

    #[test]
    fn an_echoed_secret_is_taken_out() {
        assert_eq!(
            read("the secret s3cr3t is wrong", false).detail.as_deref(),
            Some("the secret [secret] is wrong")
        );
    }

    #[test]
    fn maintenance_is_recognised_in_any_case() {
        assert!(announces_maintenance(b"<h1>Scheduled MAINTENANCE</h1>"));
        assert!(!announces_maintenance(b"overloaded"));
    }
}
