//! The query parameters of the REST framework.

use super::projection::Links;

/// Rows of a page when `limit` is absent.
const DEFAULT_LIMIT: usize = 25;

/// Decoded parameters in their order; of a repeated one the first counts.
#[derive(Debug)]
pub(super) struct Params(Vec<(String, String)>);

/// Which page is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    /// As the server grants it.
    pub limit: usize,
    pub offset: usize,
    pub total_results: bool,
}

impl Params {
    pub(super) fn read(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// A limit above the server's is cut down silently.
    pub(super) fn page(&self, max_limit: usize) -> Result<Page, String> {
        let number = |name: &str, default: usize| match self.get(name) {
            None => Ok(default),
            Some(text) => {
                text.parse::<usize>().map_err(|_| format!("The query parameter {name} is not valid."))
            }
        };
        let limit = number("limit", DEFAULT_LIMIT)?;
        if limit == 0 {
            return Err("The query parameter limit is not valid.".to_owned());
        }
        Ok(Page {
            limit: limit.min(max_limit.max(1)),
            offset: number("offset", 0)?,
            total_results: self.is_true("totalResults"),
        })
    }

    pub(super) fn links(&self) -> Links {
        if self.is_true("onlyData") {
            Links::Hidden
        } else if self.get("links") == Some("self") {
            Links::SelfOnly
        } else {
            Links::All
        }
    }
}
