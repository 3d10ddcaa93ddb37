//! One type per kind of id, so that mixing them does not compile.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type)]
        #[sqlx(transparent)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id; ids of one process sort by the time they were made.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "a new id is made on purpose, never by default")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

uuid_id!(
    /// One customer's pairing of an Oracle pod with an Asana workspace.
    ConnectionId
);
uuid_id!(
    /// One record moved, or to be moved, one way.
    MovementId
);
uuid_id!(
    /// One journal that a completion asks for.
    JournalId
);
uuid_id!(
    /// One message about alerts.
    NotificationId
);
uuid_id!(
    /// One alert.
    AlertId
);
uuid_id!(
    /// One running process of the engine.
    NodeId
);
uuid_id!(
    /// One registration of a webhook.
    WebhookId
);
uuid_id!(
    /// One signed POST from Asana.
    DeliveryId
);
text_id!(
    /// An order's `POHeaderId`.
    OrderId
);
text_id!(
    /// An Asana task's gid.
    TaskGid
);
text_id!(
    /// An Asana project's gid.
    ProjectGid
);
text_id!(
    /// An Asana custom field's gid.
    FieldGid
);
