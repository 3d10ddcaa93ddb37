//! The one thing that can be done to a journal batch over REST here: deleting it.

use axum::body::Body;
use axum::http::{Response, StatusCode};

use super::Undeletable;
use crate::oracle::rest::{Answer, Exchange};

impl Exchange<'_> {
    /// `DELETE journalBatches/{JeBatchId}`, which works only while the batch is not posted.
    pub(in crate::oracle) fn delete_batch(&self, key: &str) -> Answer {
        self.oracle.settle();
        let id: i64 = key.parse().map_err(|_| self.errors.not_found())?;
        match self.oracle.data_mut().ledger.delete_batch(id) {
            Ok(()) => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NO_CONTENT;
                Ok(response)
            }
            Err(Undeletable::Missing) => Err(self.errors.not_found()),
            Err(Undeletable::Posted) => {
                Err(self.errors.bad_request("The journal batch has been posted and cannot be deleted."))
            }
        }
    }
}
