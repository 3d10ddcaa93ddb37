//! Pages: `limit`, opaque tokens that expire, and `next_page`.
//!
//! Source: <https://developers.asana.com/docs/pagination>.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::call::{Call, Reply};
use super::config::{AsanaConfig, Unpaged};
use super::error::Fail;
use super::json::Json;

/// The most rows of one page.
const MAX_LIMIT: usize = 100;
/// Makes a token that was not given out fail; it protects nothing.
const SEAL: &[u8] = b"sandbox page token";

/// One page as it was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Absent: the listing is not paged.
    pub limit: Option<usize>,
    /// Where the page before ended, in terms of the listing.
    pub after: Option<(u64, u64)>,
    /// Rows answered by the pages before.
    seen: u64,
}

impl Page {
    pub fn read(call: &Call, cfg: &AsanaConfig, now_ms: i64) -> Result<Self, Fail> {
        let limit = match call.param("limit") {
            None => None,
            Some(text) => match text.parse::<usize>() {
                Ok(n) if (1..=MAX_LIMIT).contains(&n) => Some(n),
                _ => return Err(Fail::bad("limit: Must be between 1 and 100")),
            },
        };
        let token = call.param("offset").map(|token| unseal(call, cfg, now_ms, token)).transpose()?;
        let (after, seen) = token.map_or((None, 0), |(place, seen)| (Some(place), seen));
        Ok(Self { limit, after, seen })
    }

    /// How many rows to fetch to know whether there are more.
    pub fn fetch(&self, cfg: &AsanaConfig) -> usize {
        self.limit.unwrap_or(cfg.unpaged_rows).saturating_add(1)
    }

    /// Writes the rows; `rows` are at most [`Page::fetch`] and each carries its place in the listing.
    pub fn answer<T>(
        &self,
        call: &Call,
        cfg: &AsanaConfig,
        now_ms: i64,
        mut rows: Vec<((u64, u64), T)>,
        mut write: impl FnMut(&mut Json, &T),
    ) -> Result<Reply, Fail> {
        let most = self.limit.unwrap_or(cfg.unpaged_rows);
        let more = rows.len() > most;
        if more && self.limit.is_none() && cfg.unpaged == Unpaged::Refuse {
            return Err(Fail::bad(
                "The result is too large. You should use pagination (may require specifying a workspace)!",
            ));
        }
        rows.truncate(most);
        let seen = self.seen.saturating_add(u64::try_from(rows.len()).unwrap_or(u64::MAX));
        if self.limit.is_some() && cfg.cut_after_rows > 0 && seen > cfg.cut_after_rows {
            return Err(Fail::bad("The result set is too large and was truncated. Narrow your request."));
        }
        let mut w = Json::default();
        w.array(&rows, |w, (_, row)| write(w, row));
        let mut reply = Reply::ok(w);
        if self.limit.is_some() {
            let last = rows.last().map(|(place, _)| *place).filter(|_| more);
            reply.next_page = Some(last.map(|place| seal(call, now_ms, place, seen)));
        }
        Ok(reply)
    }

    /// Pages through rows that stand in a stable order already.
    pub fn answer_all<T>(
        &self,
        call: &Call,
        cfg: &AsanaConfig,
        now_ms: i64,
        rows: impl Iterator<Item = T>,
        write: impl FnMut(&mut Json, &T),
    ) -> Result<Reply, Fail> {
        let skip = self.after.map_or(0, |(at, _)| usize::try_from(at).unwrap_or(usize::MAX));
        let numbered = (1_u64..).zip(rows).skip(skip).map(|(i, row)| ((i, 0), row));
        let rows = numbered.take(self.fetch(cfg)).collect();
        self.answer(call, cfg, now_ms, rows, write)
    }
}

fn mac(text: &str) -> String {
    let digest = Sha256::new().chain_update(SEAL).chain_update(text).finalize();
    URL_SAFE_NO_PAD.encode(&digest[..9])
}

fn seal(call: &Call, now_ms: i64, (a, b): (u64, u64), seen: u64) -> String {
    let text = format!("{now_ms}:{a}:{b}:{seen}");
    let mac = mac(&format!("{}:{text}", call.path()));
    URL_SAFE_NO_PAD.encode(format!("{text}:{mac}"))
}

fn unseal(call: &Call, cfg: &AsanaConfig, now_ms: i64, token: &str) -> Result<((u64, u64), u64), Fail> {
    let invalid = || Fail::bad("offset: Your pagination token is invalid.");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
    let text = String::from_utf8(bytes).map_err(|_| invalid())?;
    let (body, given) = text.rsplit_once(':').ok_or_else(invalid)?;
    if mac(&format!("{}:{body}", call.path())) != given {
        return Err(invalid());
    }
    let mut parts = body.split(':');
    let issued: i64 = parts.next().and_then(|p| p.parse().ok()).ok_or_else(invalid)?;
    let mut number = || parts.next().and_then(|p| p.parse::<u64>().ok()).ok_or_else(invalid);
    let (a, b, seen) = (number()?, number()?, number()?);
    if now_ms.saturating_sub(issued) > i64::from(cfg.page_token_seconds).saturating_mul(1000) {
        return Err(Fail::bad("offset: Your pagination token has expired."));
    }
    Ok(((a, b), seen))
}
