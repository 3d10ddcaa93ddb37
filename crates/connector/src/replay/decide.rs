//! Whether a movement may be sent again, and what is sent then. Pure.

use crate::code::Code;
use crate::erase::is_erased;
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::feed::prepare::fingerprint_of;
use crate::record::Reading;
use crate::store::replays::Candidate;

/// What is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The record: as it was edited last, or as it was carried.
    pub body: String,
    /// Whether that is not what the newest document says.
    pub deviates: bool,
}

/// Decides about one movement. `older`: a record that has changed in Oracle since may be sent as it was.
///
/// # Errors
/// The reason against it: [`Code::ReplayTooEarly`], [`Code::ReplayUnderWay`], [`Code::ReplayEmpty`],
/// [`Code::MovementErased`], [`Code::EditOutdated`] or [`Code::ReplayOlder`].
pub fn decide(candidate: &Candidate, reading: &Reading, older: bool) -> Result<Decided> {
    let id = candidate.id;
    if !matches!(candidate.state.as_str(), "delivered" | "failed" | "held") {
        let words = format!("movement {id} is {}", candidate.state);
        return Err(Error::new(Code::ReplayTooEarly, words));
    }
    let record = || format!("the record of movement {id}, {} {}", candidate.feed, candidate.source_id);
    if candidate.is_busy {
        return Err(Error::new(Code::ReplayUnderWay, format!("{}, is being moved already", record())));
    }
    let (Some(carried), Some(newest), Some(feed)) =
        (&candidate.body, &candidate.fingerprint, Feed::named(&candidate.feed))
    else {
        return Err(Error::new(Code::ReplayEmpty, format!("nothing is kept of {}", record())));
    };
    if is_erased(carried) {
        return Err(Error::new(Code::MovementErased, format!("{}, was erased", record())));
    }
    if !older && fingerprint_of(feed, carried, reading) != *newest {
        return Err(Error::new(Code::ReplayOlder, format!("{}, has changed in Oracle since", record())));
    }
    let body = match (&candidate.edit_before, &candidate.edit_after) {
        (_, None) => carried,
        (Some(before), Some(after)) if before == carried => after,
        (_, Some(_)) => {
            let words = format!("movement {id} was edited when it carried another text");
            return Err(Error::new(Code::EditOutdated, words));
        }
    };
    Ok(Decided { body: body.clone(), deviates: fingerprint_of(feed, body, reading) != *newest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::MovementId;

    const CARRIED: &str = r#"{"POHeaderId":1,"OrderNumber":"US-1","Total":10.50}"#;
    const EDITED: &str = r#"{"POHeaderId":1,"OrderNumber":"US-1","Description":"mended","Total":10.50}"#;

    fn candidate() -> Candidate {
        Candidate {
            id: MovementId::new(),
            feed: "purchase_orders".to_owned(),
            source_id: "1".to_owned(),
            state: "failed".to_owned(),
            outcome: None,
            body: Some(CARRIED.to_owned()),
            edit_before: None,
            edit_after: None,
            fingerprint: Some(fingerprint_of(Feed::PurchaseOrders, CARRIED, &reading())),
            is_busy: false,
        }
    }

    fn reading() -> Reading {
        Reading::default()
    }

    fn code(candidate: &Candidate, older: bool) -> Option<Code> {
        decide(candidate, &reading(), older).err().map(|error| error.code)
    }

    #[test]
    fn what_has_ended_and_is_still_the_newest_is_sent_as_it_was() {
        for state in ["delivered", "failed", "held"] {
            let decided = decide(&Candidate { state: state.to_owned(), ..candidate() }, &reading(), false);
            assert_eq!(decided.unwrap(), Decided { body: CARRIED.to_owned(), deviates: false });
        }
        for state in ["pending", "sending", "retrying", "in_doubt"] {
            let open = Candidate { state: state.to_owned(), ..candidate() };
            assert_eq!(code(&open, true), Some(Code::ReplayTooEarly), "{state}");
        }
    }

    #[test]
    fn an_edit_is_sent_in_place_of_what_it_was_made_from_and_of_nothing_else() {
        let edited = Candidate {
            edit_before: Some(CARRIED.to_owned()),
            edit_after: Some(EDITED.to_owned()),
            ..candidate()
        };
        let decided = decide(&edited, &reading(), false).unwrap();
        assert_eq!(decided, Decided { body: EDITED.to_owned(), deviates: true });
        let taken_up_again = Candidate { edit_before: Some(EDITED.to_owned()), ..edited };
        assert_eq!(code(&taken_up_again, false), Some(Code::EditOutdated));
    }

    #[test]
    fn an_older_record_needs_consent_and_is_known_as_such() {
        let fingerprint = Some(fingerprint_of(Feed::PurchaseOrders, EDITED, &reading()));
        let older = Candidate { fingerprint, ..candidate() };
        assert_eq!(code(&older, false), Some(Code::ReplayOlder));
        let decided = decide(&older, &reading(), true).unwrap();
        assert_eq!(decided, Decided { body: CARRIED.to_owned(), deviates: true });
    }

    #[test]
    fn without_a_body_or_beside_another_movement_nothing_is_sent() {
        assert_eq!(code(&Candidate { body: None, ..candidate() }, true), Some(Code::ReplayEmpty));
        let erased = Candidate { body: Some(r#"{"erased":"2026-11-27"}"#.to_owned()), ..candidate() };
        assert_eq!(code(&erased, true), Some(Code::MovementErased));
        assert_eq!(code(&Candidate { is_busy: true, ..candidate() }, true), Some(Code::ReplayUnderWay));
    }
}
