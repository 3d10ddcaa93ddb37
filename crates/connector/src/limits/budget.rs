//! A budget that all nodes share, in PostgreSQL.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use outbound::{Answer, Grant, Source, Want};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use url::Url;

use crate::ids::{ConnectionId, NodeId};
use crate::store::budgets;

/// See the module. When the database cannot be asked, the clients go on without it.
#[derive(Clone)]
pub struct SharedBudget {
    db: PgPool,
    node: NodeId,
    budget: [u8; 32],
    /// Where the schedule ended when places were last taken.
    until: Arc<Mutex<Option<Timestamp>>>,
}

impl SharedBudget {
    /// The budget of an Asana token: whoever uses the same one at the same address shares it.
    #[must_use]
    pub fn of_asana(db: &PgPool, node: NodeId, base: &Url, token: &SecretString) -> Arc<SharedBudget> {
        let address = base.as_str().trim_end_matches('/');
        SharedBudget::named(db, node, &["asana", address, token.expose_secret()])
    }

    /// The budget of a connection's Oracle side. It begins anew when a person changes the connection, as does the
    /// pause that a pod asked for.
    #[must_use]
    pub fn of_oracle(db: &PgPool, node: NodeId, connection: ConnectionId, version: i32) -> Arc<SharedBudget> {
        SharedBudget::named(db, node, &["oracle", &connection.to_string(), &version.to_string()])
    }

    fn named(db: &PgPool, node: NodeId, parts: &[&str]) -> Arc<SharedBudget> {
        let mut digest = Sha256::new();
        for part in parts {
            // with its length, so that no two lists of parts read alike
            digest.update(part.len().to_be_bytes());
            digest.update(part.as_bytes());
        }
        Arc::new(SharedBudget {
            db: db.clone(),
            node,
            budget: digest.finalize().into(),
            until: Arc::default(),
        })
    }
}

impl SharedBudget {
    fn until(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SharedBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedBudget").field("node", &self.node).finish_non_exhaustive()
    }
}

impl Source for SharedBudget {
    fn reserve(&self, want: Want) -> Answer<'_, Option<Grant>> {
        Box::pin(async move {
            match budgets::reserve(&self.db, &self.budget, self.node, want).await {
                Ok((grant, until)) => {
                    *self.until() = Some(until);
                    Some(grant)
                }
                Err(error) => {
                    tracing::debug!(%error, "the shared budget cannot be asked; going on with this node's part");
                    None
                }
            }
        })
    }

    fn give_back(&self, unused: Duration) -> Answer<'_, ()> {
        Box::pin(async move {
            let Some(until) = self.until().take() else { return };
            if let Err(error) = budgets::give_back(&self.db, &self.budget, until, unused).await {
                tracing::debug!(%error, "places that are not needed could not be given back");
            }
        })
    }

    fn pause(&self, wait: Duration) -> Answer<'_, ()> {
        Box::pin(async move {
            if let Err(error) = budgets::pause(&self.db, &self.budget, wait).await {
                tracing::debug!(%error, "the other nodes could not be told of a pause");
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_budget_is_named_by_address_and_token_and_shows_neither() {
        let db = PgPool::connect_lazy("postgres://localhost/none").unwrap();
        let of = |address: &str, token: &str| {
            let url = Url::parse(address).unwrap();
            SharedBudget::of_asana(&db, NodeId::new(), &url, &SecretString::from(token.to_owned()))
        };
        let one = of("https://a.test/api", "t0k3n-one");
        assert_eq!(one.budget, of("https://a.test/api/", "t0k3n-one").budget);
        assert_ne!(one.budget, of("https://a.test/api", "t0k3n-two").budget);
        assert_ne!(one.budget, of("https://b.test/api", "t0k3n-one").budget);
        let shown = format!("{one:?}");
        assert!(!shown.contains("t0k3n") && !shown.contains("a.test"), "{shown}");
    }
}
