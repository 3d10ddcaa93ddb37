//! Editing the record of a movement before it is sent again. The movement keeps what it carried; the edit is an
//! action of its own, with the text before and after.

use oracle_fusion::{Invoice, PurchaseOrder, RawValue};
use sqlx::{PgConnection, PgPool};

use crate::code::Code;
use crate::erase::is_erased;
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::ids::MovementId;
use crate::replay::How;
use crate::store::actions::{self, NewAction, Subject, What};
use crate::store::connections::Connection;
use crate::store::replays;
use crate::store::{self, movements};

/// The text to edit: the last edit where there is one that still fits, else what the movement carried.
///
/// # Errors
/// [`Code::MovementUnknown`], [`Code::ReplayTooEarly`], [`Code::ReplayEmpty`] and [`Code::MovementErased`].
pub async fn text(db: &PgPool, connection: &Connection, id: MovementId) -> Result<String> {
    let mut tx = store::begin(db).await?;
    let (_, carried, last) = editable(db, &mut tx, connection, id).await?;
    Ok(last.unwrap_or(carried))
}

/// Stores an edit.
///
/// # Errors
/// As [`text`], and [`Code::EditUnfit`].
pub async fn edit(db: &PgPool, connection: &Connection, id: MovementId, new: &str, how: &How) -> Result<()> {
    let mut tx = store::begin(db).await?;
    let (candidate, carried, _) = editable(db, &mut tx, connection, id).await?;
    let feed = Feed::named(&candidate.feed)
        .ok_or_else(|| Error::new(Code::EditUnfit, format!("{} is no feed", candidate.feed)))?;
    let new = new.trim();
    check(feed, &candidate.source_id, new)?;
    let told = NewAction {
        subject_id: candidate.id.0,
        note: how.note.as_deref(),
        before: Some(&carried),
        after: Some(new),
    };
    actions::record(&mut tx, connection.id, (Subject::Movement, What::Edited), &how.by, &[told]).await?;
    tx.commit().await?;
    Ok(())
}

/// The movement that an edit belongs to, what it carried, and its last edit.
async fn editable(
    db: &PgPool,
    tx: &mut PgConnection,
    connection: &Connection,
    id: MovementId,
) -> Result<(replays::Candidate, String, Option<String>)> {
    let origins = movements::origins(db, connection.id, &[id]).await?;
    let mut found = replays::lock(tx, connection.id, &origins).await?;
    let unknown = || Error::new(Code::MovementUnknown, format!("there is no movement {id}"));
    let mut candidate = found.pop().ok_or_else(unknown)?;
    if !matches!(candidate.state.as_str(), "delivered" | "failed" | "held") {
        let words = format!("movement {} is {}", candidate.id, candidate.state);
        return Err(Error::new(Code::ReplayTooEarly, words));
    }
    let Some(carried) = candidate.body.take() else {
        let words = format!("nothing is kept of the record of movement {}", candidate.id);
        return Err(Error::new(Code::ReplayEmpty, words));
    };
    if is_erased(&carried) {
        let words = format!("the record of movement {} was erased", candidate.id);
        return Err(Error::new(Code::MovementErased, words));
    }
    let fits = candidate.edit_before.as_deref() == Some(&carried);
    let last = candidate.edit_after.take().filter(|_| fits);
    Ok((candidate, carried, last))
}

/// Whether a text is a record of the feed with this id.
fn check(feed: Feed, source_id: &str, text: &str) -> Result<()> {
    let unfit = |words: String| Error::new(Code::EditUnfit, words);
    let raw: &RawValue =
        serde_json::from_str(text).map_err(|error| unfit(format!("it is not JSON: {error}")))?;
    let id = match feed {
        Feed::PurchaseOrders => PurchaseOrder::parse(raw).map(|order| order.id),
        Feed::Invoices => Invoice::parse(raw).map(|invoice| invoice.id),
    };
    let id = id.map_err(|error| unfit(format!("it is no record of {}: {error}", feed.as_str())))?;
    if id == source_id {
        return Ok(());
    }
    Err(unfit(format!("it has the id {id}, but the movement carried {source_id}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_record_of_its_kind_with_its_id_is_taken() {
        let order = r#"{"POHeaderId":7,"OrderNumber":"US-7"}"#;
        assert!(check(Feed::PurchaseOrders, "7", order).is_ok());
        for (feed, id, text, says) in [
            (Feed::PurchaseOrders, "7", "{", "not JSON"),
            (Feed::PurchaseOrders, "7", "[]", "no record"),
            (Feed::PurchaseOrders, "7", r#"{"OrderNumber":"US-7"}"#, "no record"),
            (Feed::PurchaseOrders, "8", order, "has the id 7"),
            (Feed::Invoices, "7", order, "no record"),
        ] {
            let error = check(feed, id, text).unwrap_err();
            assert_eq!(error.code, Code::EditUnfit);
            assert!(error.message.contains(says), "{}", error.message);
        }
    }
}
