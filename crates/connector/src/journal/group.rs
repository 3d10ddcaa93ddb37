//! The group id: the number under which Oracle keeps a journal's lines apart, and the journal's
//! idempotency key. It is derived, never counted, so that it is the same after every crash.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::Kind;
use crate::ids::{ConnectionId, TaskGid};

/// Oracle takes 18 digits at most. All ids have exactly 18, so that none is part of another: a batch is
/// looked for by a pattern that contains the id.
const SMALLEST: u64 = 100_000_000_000_000_000;
/// How many numbers of 18 digits there are.
const RANGE: u64 = 900_000_000_000_000_000;

/// `GROUP_ID`: 18 digits, the first one not zero. Written as text, since JSON numbers of that size do not
/// survive everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(u64);

impl GroupId {
    /// The group id of one sending of a journal.
    ///
    /// `ordinal` counts the completions of the task, `generation` the sendings under a new group.
    #[must_use]
    pub fn derive(
        connection: ConnectionId,
        task: &TaskGid,
        ordinal: u32,
        kind: Kind,
        generation: u32,
    ) -> GroupId {
        let mut digest = Sha256::new();
        // every part is led by its length, so that no two lists of parts look alike
        let parts: [&[u8]; 6] = [
            b"ml-connector journal group",
            connection.0.as_bytes(),
            task.as_str().as_bytes(),
            &ordinal.to_be_bytes(),
            kind.as_str().as_bytes(),
            &generation.to_be_bytes(),
        ];
        for part in parts {
            digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(part);
        }
        let hash = digest.finalize();
        let number = hash.iter().take(8).fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
        GroupId(SMALLEST + number % RANGE)
    }

    /// The number; it fits in 63 bits.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

impl std::fmt::Display for GroupId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for GroupId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<u64>() {
            Ok(number) if (SMALLEST..SMALLEST + RANGE).contains(&number) && text.len() == 18 => {
                Ok(GroupId(number))
            }
            _ => Err(format!("`{text}` is not a group id: 18 digits")),
        }
    }
}

impl Serialize for GroupId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for GroupId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn derive(connection: u128, task: &str, ordinal: u32, kind: Kind, generation: u32) -> GroupId {
        GroupId::derive(
            ConnectionId(Uuid::from_u128(connection)),
            &TaskGid::from(task),
            ordinal,
            kind,
            generation,
        )
    }

    #[test]
    fn a_group_id_never_changes_between_versions_of_the_program() {
        let posting = derive(1, "1200000000000101", 1, Kind::Posting, 0);
        assert_eq!(posting.to_string(), "322971405851491355");
    }

    #[test]
    fn every_part_makes_another_group_id() {
        let first = derive(1, "12", 1, Kind::Posting, 0);
        for other in [
            derive(2, "12", 1, Kind::Posting, 0),
            derive(1, "13", 1, Kind::Posting, 0),
            derive(1, "12", 2, Kind::Posting, 0),
            derive(1, "12", 1, Kind::Reversal, 0),
            derive(1, "12", 1, Kind::Posting, 1),
        ] {
            assert_ne!(first, other);
        }
        assert_eq!(first, derive(1, "12", 1, Kind::Posting, 0));
    }

    #[test]
    fn what_is_no_group_id_is_not_read_as_one() {
        for text in ["", "12", "0123456789012345678", "+00000000000000001", "1e17", "1000000000000000000"] {
            assert!(text.parse::<GroupId>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_group_id_has_eighteen_digits_and_survives_its_text(
            connection: u128, task in "[0-9]{1,20}", ordinal: u32, generation: u32
        ) {
            let id = derive(connection, &task, ordinal, Kind::Posting, generation);
            let text = id.to_string();
            prop_assert_eq!(text.len(), 18);
            prop_assert!(!text.starts_with('0'));
            prop_assert!(i64::try_from(id.number()).is_ok());
            prop_assert_eq!(text.parse::<GroupId>(), Ok(id));
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<GroupId>(&json).unwrap(), id);
        }
    }
}
