//! What a job shows of the sides that it asked: their breakers are told.

use std::convert::Infallible;
use std::time::Duration;

use crate::engine::{Clients, Engine};
use crate::error::Error;
use crate::limits::{self, Provider};
use crate::posting::drive::Trouble;
use crate::store::breakers;
use crate::store::jobs::Lease;

/// How often a probe is looked at for its first answer.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A job on its way, as far as it asks the two sides.
#[derive(Debug)]
pub struct Sides<'a> {
    engine: &'a Engine,
    lease: &'a Lease,
    clients: &'a Clients,
    /// Answers of each side when the job began, in the order of [`Provider::ALL`]. Those to other jobs of the
    /// connection count too: they say the same of the side.
    before: [u64; 2],
}

impl<'a> Sides<'a> {
    /// Of a job that begins now.
    #[must_use]
    pub fn of(engine: &'a Engine, lease: &'a Lease, clients: &'a Clients) -> Sides<'a> {
        Sides { engine, lease, clients, before: Provider::ALL.map(|provider| answers(clients, provider)) }
    }

    /// Closes the breaker that the job probes as soon as its side has answered, so that the other jobs need not wait
    /// for its end. Never ends.
    pub async fn watch_probe(&self) -> Infallible {
        if let Some(provider) = self.lease.probes {
            let mut look = tokio::time::interval(LOOK_EVERY);
            while !self.has_answered(provider) {
                look.tick().await;
            }
            self.close(provider).await;
        }
        std::future::pending().await
    }

    /// Tells the breakers how the job ended: with what trouble of a side, if any. Whatever is not told now, the next
    /// job tells.
    pub async fn observe(&self, trouble: Option<(Trouble, &str)>) {
        for provider in self.lease.job.needs().iter().copied() {
            let tripped = trouble.and_then(|(trouble, words)| {
                let (side, kind) = limits::trips(trouble.code)?;
                (side == provider).then_some((trouble, kind, words))
            });
            let answered = self.has_answered(provider);
            let slowed = trouble.is_some_and(|(trouble, _)| limits::is_busy(trouble.code));
            if answered || (slowed && self.lease.job.needs().len() == 1) {
                self.close(provider).await;
            }
            let told = match tripped {
                Some((trouble, kind, words)) => self.open(provider, trouble, kind, words).await,
                None if self.lease.probes == Some(provider) && !answered => {
                    breakers::probe_again(&self.engine.db, self.lease.connection, provider).await
                }
                None => Ok(()),
            };
            if let Err(error) = told {
                self.untold(provider, &error);
            }
        }
    }

    async fn open(
        &self,
        provider: Provider,
        trouble: Trouble,
        kind: limits::breaker::Trouble,
        words: &str,
    ) -> crate::Result<()> {
        let (db, connection) = (&self.engine.db, self.lease.connection);
        let failure = (trouble.code, words);
        let (breaker, opened) =
            breakers::failed(db, connection, provider, kind, failure, trouble.retry_after).await?;
        if opened {
            tracing::warn!(%connection, side = provider.as_str(), failures = breaker.failures,
                code = trouble.code.info().code, "a side keeps failing and is asked seldom now");
        }
        Ok(())
    }

    async fn close(&self, provider: Provider) {
        match breakers::answered(&self.engine.db, self.lease.connection, provider).await {
            Ok(false) => {}
            Ok(true) => {
                tracing::info!(connection = %self.lease.connection, side = provider.as_str(), "a side answers again");
                self.engine.wake();
            }
            Err(error) => self.untold(provider, &error),
        }
    }

    fn has_answered(&self, provider: Provider) -> bool {
        let at = Provider::ALL.iter().position(|one| *one == provider).unwrap_or(0);
        self.before.get(at).is_some_and(|before| answers(self.clients, provider) > *before)
    }

    fn untold(&self, provider: Provider, error: &Error) {
        tracing::debug!(connection = %self.lease.connection, side = provider.as_str(), %error,
            "what a job saw of a side could not be noted");
    }
}

fn answers(clients: &Clients, provider: Provider) -> u64 {
    match provider {
        Provider::Oracle => clients.fusion.answered(),
        Provider::Asana => clients.asana.answered(),
    }
}
