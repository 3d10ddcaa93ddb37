//! A limit on requests under way at once, which can be changed while they are.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places for requests under way.
#[derive(Debug)]
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    size: Mutex<Size>,
}

#[derive(Debug)]
struct Size {
    limit: usize,
    /// Places that were taken when the limit fell below them; they vanish when they become free.
    owed: usize,
}

impl Slots {
    pub(crate) fn new(limit: usize) -> Arc<Slots> {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Arc::new(Slots { free: Arc::new(Semaphore::new(limit)), size: Mutex::new(Size { limit, owed: 0 }) })
    }

    /// Waits for a free place, in order of arrival.
    pub(crate) async fn take(self: &Arc<Slots>) -> Slot {
        // The semaphore is never closed, which would be the only way to get no permit.
        let permit = Arc::clone(&self.free).acquire_owned().await.ok();
        Slot { permit, slots: Arc::clone(self) }
    }

    pub(crate) fn resize(&self, limit: usize) {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        let mut size = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        if limit >= size.limit {
            let more = limit - size.limit;
            let forgiven = more.min(size.owed);
            size.owed -= forgiven;
            self.free.add_permits(more - forgiven);
        } else {
            let fewer = size.limit - limit;
            size.owed += fewer - self.free.forget_permits(fewer);
        }
        size.limit = limit;
    }
}

/// A place held by one request.
#[derive(Debug)]
pub(crate) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    slots: Arc<Slots>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut size = self.slots.size.lock().unwrap_or_else(PoisonError::into_inner);
        let permit = self.permit.take();
        if size.owed > 0 {
            size.owed -= 1;
            if let Some(permit) = permit {
                permit.forget();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lowered_limit_holds_as_soon_as_the_places_become_free() {
        let slots = Slots::new(3);
        let held = [slots.take().await, slots.take().await, slots.take().await];
        slots.resize(1);
        assert_eq!(slots.free.available_permits(), 0);
        drop(held);
        assert_eq!(slots.free.available_permits(), 1);
    }

    #[tokio::test]
    async fn a_raised_limit_forgives_what_was_owed_first() {
        let slots = Slots::new(2);
        let held = [slots.take().await, slots.take().await];
        slots.resize(1);
        slots.resize(3);
        assert_eq!(slots.free.available_permits(), 1);
        drop(held);
        assert_eq!(slots.free.available_permits(), 3);
    }
}
