use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::*;
use crate::shared::Answer;

/// A schedule in memory that several pacers share.
#[derive(Debug, Default)]
struct Memory {
    next: Mutex<Option<Instant>>,
    paused: Mutex<Option<Instant>>,
    asked: AtomicU32,
    gone: AtomicBool,
    nodes: u32,
}

impl Source for Memory {
    fn reserve(&self, want: Want) -> Answer<'_, Option<Grant>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if self.gone.load(Ordering::Relaxed) {
                return None;
            }
            let now = Instant::now();
            let paused = self.paused.lock().unwrap().unwrap_or(now);
            let mut next = self.next.lock().unwrap();
            let earliest = now.checked_sub(want.depth).unwrap_or(now);
            let first = next.unwrap_or(now).max(earliest).max(paused);
            *next = Some(first + want.interval * want.places);
            let first_in = first.saturating_duration_since(now);
            let paused_for = paused.saturating_duration_since(now);
            Some(Grant { first_in, paused_for, nodes: self.nodes.max(1) })
        })
    }

    fn give_back(&self, unused: Duration) -> Answer<'_, ()> {
        let mut next = self.next.lock().unwrap();
        *next = next.map(|next| next.checked_sub(unused).unwrap());
        Box::pin(std::future::ready(()))
    }

    fn pause(&self, wait: Duration) -> Answer<'_, ()> {
        *self.paused.lock().unwrap() = Some(Instant::now() + wait);
        Box::pin(std::future::ready(()))
    }
}

async fn send(pacer: &Arc<Pacer>, requests: u32) -> Vec<Instant> {
    let mut sent = Vec::new();
    for _ in 0..requests {
        pacer.enter().await;
        sent.push(Instant::now());
    }
    sent
}

#[tokio::test]
async fn two_that_share_a_source_keep_to_one_pace_and_use_it() {
    let source = Arc::new(Memory { nodes: 2, ..Memory::default() });
    let (one, other) = (Pacer::new(6_000), Pacer::new(6_000));
    one.share(source.clone());
    other.share(source.clone());
    let began = Instant::now();
    let (mut sent, more) = tokio::join!(send(&one, 100), send(&other, 100));
    sent.extend(more);
    sent.sort();
    // 5,931 a minute are let through evenly, and at most 22 of them may be late
    let rate = Rate::within(6_000);
    let least = rate.interval() * (200 - 1) - rate.depth();
    assert!(began.elapsed() >= least, "{:?}", began.elapsed());
    assert!(began.elapsed() < least * 2, "{:?}", began.elapsed());
    let asked = source.asked.load(Ordering::Relaxed);
    assert!(asked <= 20, "{asked} questions for 200 requests");
}

#[tokio::test]
async fn one_alone_asks_about_once_a_second() {
    let source = Arc::new(Memory::default());
    let pacer = Pacer::new(6_000);
    pacer.share(source.clone());
    let began = Instant::now();
    send(&pacer, 250).await;
    let (rate, took) = (Rate::within(6_000), began.elapsed());
    assert!(took < rate.interval() * 250 * 6 / 5, "the budget is not used: {took:?}");
    let seconds = u32::try_from(took.as_secs()).unwrap();
    assert!(source.asked.load(Ordering::Relaxed) <= seconds + 2, "{:?}", source.asked);
}

#[tokio::test]
async fn the_next_process_need_not_wait_for_places_that_nobody_uses() {
    let source = Arc::new(Memory::default());
    let (one, next) = (Pacer::new(600), Pacer::new(600));
    one.share(source.clone());
    next.share(source.clone());
    send(&one, 2).await;
    let ahead =
        |source: &Memory| source.next.lock().unwrap().unwrap().saturating_duration_since(Instant::now());
    assert!(ahead(&source) > Duration::from_millis(600), "{:?}", ahead(&source));
    one.rest().await;
    assert!(ahead(&source) < Duration::from_millis(250), "{:?}", ahead(&source));
    // whoever goes on nevertheless takes new ones
    let sent = send(&next, 1).await;
    let after = send(&one, 1).await;
    assert!(after[0] > sent[0]);
}

#[tokio::test]
async fn a_pause_is_told_and_heard_of() {
    let source = Arc::new(Memory { nodes: 2, ..Memory::default() });
    let (one, other) = (Pacer::new(60_000), Pacer::new(60_000));
    one.share(source.clone());
    other.share(source.clone());
    let began = Instant::now();
    one.pause(Duration::from_millis(400));
    while source.paused.lock().unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    other.enter().await;
    assert!(began.elapsed() >= Duration::from_millis(400), "{:?}", began.elapsed());
}

#[tokio::test]
async fn without_the_source_it_goes_on_alone_with_its_part() {
    let source = Arc::new(Memory { nodes: 4, ..Memory::default() });
    let pacer = Pacer::new(24_000);
    pacer.share(source.clone());
    send(&pacer, 1).await;
    assert_eq!(pacer.nodes(), 4);
    source.gone.store(true, Ordering::Relaxed);
    // what was granted is used up first; then a quarter of 400 a second is left
    send(&pacer, 200).await;
    let began = Instant::now();
    send(&pacer, 100).await;
    assert!(began.elapsed() >= Duration::from_millis(700), "{:?}", began.elapsed());
    assert!(began.elapsed() <= Duration::from_secs(10), "{:?}", began.elapsed());
    source.gone.store(false, Ordering::Relaxed);
    let patience = Instant::now() + Duration::from_secs(20);
    while pacer.state().blind {
        assert!(Instant::now() < patience, "the source was not asked again");
        pacer.enter().await;
    }
}

#[test]
fn a_pause_is_never_shortened_and_an_hour_at_most() {
    let pacer = Pacer::new(60);
    pacer.pause(Duration::from_secs(30));
    pacer.pause(Duration::from_secs(10));
    assert!(pacer.paused() > Duration::from_secs(29));
    pacer.pause(Duration::MAX);
    assert!(pacer.paused() <= LONGEST_PAUSE);
}
