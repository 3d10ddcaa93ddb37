//! Fetching the rest of children that were cut short.
//!
//! How many rows of an expanded child come along is not documented, but the child says `hasMore`. Its rows are
//! then read again from its own collection, in pages, ordered by a unique attribute. Where none is known, the
//! pages come in the server's own order, and rows that stand twice are refused, since others may then be missing:
//! two pages can only overlap where they also leave something out. The path to it holds a
//! key that only the server knows: Oracle says not to compute it, but to take it from the row's own link. Of
//! that link nothing but the last segment is used, so that the token stays with the configured pod whatever
//! host the link names.

mod text;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::fmt::Write as _;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::value::RawValue;

pub use text::is_truncated;
use text::{Child, Linked, attribute, expanded_paths, says_has_more};

use crate::client::Fusion;
use crate::error::Error;
use crate::keyset::RowKey;
use crate::object::Members;
use crate::query::{Attr, Expand, Fields, Filter, Limit, Query, Selection, Value, encode, lies_below};
use crate::resource::{Resource, child_order};

/// No child has more rows than this.
const MAX_ROWS: usize = 100_000;
/// No child lies deeper than this; `lines.schedules.distributions.projectDFF` are four.
const MAX_DEPTH: usize = 8;

pub(crate) async fn complete(
    fusion: &Fusion,
    item: Box<RawValue>,
    resource: Resource,
    further: Option<&Expand>,
) -> Result<Box<RawValue>, Error> {
    if !is_truncated(&item) {
        return Ok(item);
    }
    let completion = Completion { fusion, resource, asked: resource.expand_with(further) };
    let id = RowKey::read(resource, &item).map_err(|error| completion.stuck(error))?.id;
    let key = completion.item_key(&id).await?;
    let path = vec![resource.name().to_owned(), key];
    let text = completion.item(path, Vec::new(), item.get()).await?;
    if says_has_more(&text) {
        return Err(completion.stuck("a child stands where none is known to be"));
    }
    RawValue::from_string(text).map_err(|error| completion.stuck(error))
}

struct Completion<'a> {
    fusion: &'a Fusion,
    resource: Resource,
    /// The children that the record was asked for with.
    asked: Option<Expand>,
}

impl Completion<'_> {
    fn stuck(&self, reason: impl fmt::Display) -> Error {
        Error::incomplete(self.resource.name(), reason)
    }

    /// The key of the record in its path.
    async fn item_key(&self, id: &str) -> Result<String, Error> {
        let attr = self.resource.id_attribute();
        let value = Value::id(id).map_err(|error| self.stuck(error))?;
        let query = Query::new(self.resource)
            .filter(Filter::Eq(attr.clone(), value))
            .select(Selection::Fields(Fields::only(&attr)))
            .with_own_links()
            .limit(Limit::clamped(2));
        let page = self.fusion.page(&query).await?;
        match page.items.as_slice() {
            [row] => self.own_key(row),
            [] => Err(self.stuck("the record is gone")),
            _ => Err(self.stuck("the id is that of several records")),
        }
    }

    /// The text of an item with all rows of its children. `path` leads to the item; `names` are the children
    /// passed on the way.
    fn item<'a>(
        &'a self,
        path: Vec<String>,
        names: Vec<String>,
        text: &'a str,
    ) -> BoxFuture<'a, Result<String, Error>> {
        async move {
            let Members(members) = serde_json::from_str(text).map_err(|error| self.stuck(error))?;
            let mut out = String::with_capacity(text.len() * 2);
            for (name, value) in members {
                out.push(if out.is_empty() { '{' } else { ',' });
                out.push_str(&serde_json::to_string(&name).map_err(|error| self.stuck(error))?);
                out.push(':');
                if says_has_more(value.get()) {
                    let names = names.iter().cloned().chain([name]).collect();
                    out.push_str(&self.child(&path, names, value.get()).await?);
                } else {
                    out.push_str(value.get());
                }
            }
            out.push('}');
            Ok(out)
        }
        .boxed()
    }

    /// The text of a child with all its rows, and all of theirs.
    async fn child(&self, item: &[String], names: Vec<String>, text: &str) -> Result<String, Error> {
        let Some(name) = names.last().filter(|_| names.len() <= MAX_DEPTH) else {
            return Err(self.stuck("children lie too deep"));
        };
        let child: Child =
            serde_json::from_str(text).map_err(|_| self.stuck(format!("{name} is no collection")))?;
        let path: Vec<String> = item.iter().cloned().chain(["child".to_owned(), name.clone()]).collect();
        let order = child_order(name);
        let rows = if child.has_more {
            let expand = self.expand(&names, &child.items);
            self.rows(name, &path, &Reread { expand: expand.as_deref(), order: order.as_ref() }).await?
        } else {
            child.items
        };
        let mut keys = None;
        let mut out = String::from("{\"items\":[");
        for (index, row) in rows.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            if !is_truncated(row) {
                out.push_str(row.get());
                continue;
            }
            let attr = order.as_ref().ok_or_else(|| self.stuck(format!("no id of {name} is known")))?;
            if keys.is_none() {
                keys = Some(self.keys(&path, attr).await?);
            }
            let id =
                attribute(row.get(), attr).ok_or_else(|| self.stuck(format!("a row of {name} has no id")))?;
            let key = keys.as_ref().and_then(|keys| keys.get(&id));
            let key = key.ok_or_else(|| self.stuck(format!("a row of {name} is gone")))?;
            let path = path.iter().chain([key]).cloned().collect();
            out.push_str(&self.item(path, names.clone(), row.get()).await?);
        }
        let _ = write!(out, "],\"count\":{},\"hasMore\":false}}", rows.len());
        Ok(out)
    }

    /// All rows of a child.
    async fn rows(
        &self,
        name: &str,
        path: &[String],
        reread: &Reread<'_>,
    ) -> Result<Vec<Box<RawValue>>, Error> {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let mut rows = Vec::new();
        let mut pages = 0;
        loop {
            pages += 1;
            let page = self.fusion.rows(self.resource.name(), &path, &reread.query(rows.len())).await?;
            if page.has_more && page.items.is_empty() {
                return Err(self.stuck("the server says that more rows exist, and sends none"));
            }
            rows.extend(page.items);
            if !page.has_more {
                return match rows_moved(reread.order, &rows, pages) {
                    true => Err(self.stuck(format!("rows of {name} moved while they were read"))),
                    false => Ok(rows),
                };
            }
            if rows.len() > MAX_ROWS {
                return Err(self.stuck(format!("a child has more than {MAX_ROWS} rows")));
            }
        }
    }

    /// The keys of a child's rows in their paths, by the rows' ids.
    async fn keys(&self, path: &[String], attr: &Attr) -> Result<HashMap<String, String>, Error> {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let mut keys = HashMap::new();
        let mut offset = 0;
        loop {
            let page = self.fusion.rows(self.resource.name(), &path, &keys_query(attr, offset)).await?;
            offset += page.items.len();
            for row in &page.items {
                if let Some(id) = attribute(row.get(), attr) {
                    keys.insert(id, self.own_key(row)?);
                }
            }
            if !page.has_more {
                return Ok(keys);
            }
            if page.items.is_empty() || offset > MAX_ROWS {
                return Err(self.stuck("the keys of a child's rows do not end"));
            }
        }
    }

    /// The last segment of a row's own link.
    fn own_key(&self, row: &RawValue) -> Result<String, Error> {
        let linked: Linked =
            serde_json::from_str(row.get()).map_err(|_| self.stuck("a row's links are odd"))?;
        linked.own_key().ok_or_else(|| self.stuck("a row has no link of its own"))
    }

    /// The children to ask for again: those that came with the rows. Where no row came that would show what lies
    /// below, those that the record was asked for with.
    fn expand(&self, names: &[String], rows: &[Box<RawValue>]) -> Option<String> {
        let mut paths = BTreeMap::new();
        rows.iter().for_each(|row| expanded_paths(row.get(), "", &mut paths));
        let passed = format!("{}.", names.join("."));
        let asked = self.asked.iter().flat_map(Expand::paths).filter_map(|path| path.strip_prefix(&*passed));
        let unseen: Vec<&str> = asked
            .filter(|asked| {
                rows.is_empty() || paths.iter().any(|(path, rows)| *rows == 0 && lies_below(asked, path))
            })
            .collect();
        paths.extend(unseen.into_iter().map(|path| (path.to_owned(), 0)));
        let ends = |path: &&String| !paths.keys().any(|other| lies_below(other, path));
        let deepest: Vec<&str> = paths.keys().filter(ends).map(String::as_str).collect();
        if deepest.is_empty() { None } else { Some(deepest.join(",")) }
    }
}

/// Whether a row came twice: it has moved while the pages were read, and another may have been skipped. Without
/// an attribute to know rows by, it is their whole text that must differ; on a single page nothing can move.
fn rows_moved(order: Option<&Attr>, rows: &[Box<RawValue>], pages: usize) -> bool {
    let Some(attr) = order else {
        let mut texts = HashSet::with_capacity(rows.len());
        return pages > 1 && !rows.iter().all(|row| texts.insert(row.get()));
    };
    let mut ids = HashSet::with_capacity(rows.len());
    !rows.iter().filter_map(|row| attribute(row.get(), attr)).all(|id| ids.insert(id))
}

/// How a child's rows are asked for.
struct Reread<'a> {
    expand: Option<&'a str>,
    order: Option<&'a Attr>,
}

impl Reread<'_> {
    fn query(&self, offset: usize) -> String {
        let mut query = format!("onlyData=true&limit={}&offset={offset}", Limit::MAX.get());
        if let Some(expand) = self.expand {
            query.push_str("&expand=");
            encode(&mut query, expand);
        }
        if let Some(order) = self.order {
            query.push_str("&orderBy=");
            encode(&mut query, &format!("{}:asc", order.as_str()));
        }
        query
    }
}

fn keys_query(attr: &Attr, offset: usize) -> String {
    let attr = attr.as_str();
    format!("links=self&limit={}&offset={offset}&fields={attr}&orderBy={attr}%3Aasc", Limit::MAX.get())
}
