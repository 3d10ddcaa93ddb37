//! Who delivers: as little work as can be, so that the receiver is measured and not this.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Hook;

/// A request as it goes over the wire.
pub struct Request {
    text: String,
    body_at: usize,
}

impl Request {
    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its body.
    pub fn body(&self) -> &str {
        self.text.get(self.body_at..).unwrap_or_default()
    }
}

/// Signed deliveries of about 600 bytes with two events each, all of different tasks.
pub fn requests(hook: &Hook, first: usize, count: usize) -> Vec<Request> {
    (first..first + count).map(|number| request(hook, number)).collect()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn request(hook: &Hook, number: usize) -> Request {
    let event = |field: &str| {
        format!(
            "{{\"user\":{{\"gid\":\"1201234567890123\",\"resource_type\":\"user\"}},\
             \"created_at\":\"2026-06-30T10:{:02}:{:02}.{:03}Z\",\"action\":\"changed\",\"parent\":null,\
             \"change\":{{\"field\":\"{field}\",\"action\":\"changed\"}},\
             \"resource\":{{\"gid\":\"12{number:014}\",\"resource_type\":\"task\",\
             \"resource_subtype\":\"default_task\"}}}}",
            number / 60_000 % 60,
            number / 1_000 % 60,
            number % 1_000,
        )
    };
    let body = format!("{{\"events\":[{},{}]}}", event("completed"), event("completed_at"));
    let mac = Hmac::<Sha256>::new_from_slice(hook.secret.as_bytes()).expect("HMAC takes keys of any length");
    let signature = mac.chain_update(&body).finalize().into_bytes();
    let signature: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut text = format!(
        "POST {} HTTP/1.1\r\nhost: erp.example\r\nuser-agent: bench\r\naccept: */*\r\n\
         content-type: application/json\r\nx-hook-signature: {signature}\r\ncontent-length: {}\r\n\r\n",
        hook.path,
        body.len()
    );
    let body_at = text.len();
    text.push_str(&body);
    Request { text, body_at }
}

/// When the next request is sent.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// When the one before was answered.
    Closed,
    /// At its time, so many in a second, answered or not.
    PerSecond(u32),
}

/// What a run took.
pub struct Took {
    elapsed: Duration,
    /// Sorted.
    latencies: Vec<Duration>,
}

impl Took {
    /// Answers a second.
    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// The time that a share of all answers stayed within.
    pub fn latency_ms(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let place = (share * last as f64).round() as usize;
        self.latencies.get(place).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
    }
}

/// Open connections.
pub struct Load {
    streams: Vec<TcpStream>,
}

impl Load {
    /// Connects.
    pub async fn open(address: SocketAddr, connections: usize) -> anyhow::Result<Load> {
        let mut streams = Vec::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        Ok(Load { streams })
    }

    /// Sends all requests, spread over the connections; every answer must be a success.
    pub async fn run(&mut self, requests: &[Request], pace: Pace) -> anyhow::Result<Took> {
        let connections = self.streams.len();
        let started = Instant::now();
        let senders = self.streams.iter_mut().enumerate().map(|(place, stream)| {
            let own = requests.iter().enumerate().skip(place).step_by(connections);
            send(stream, own, pace, started)
        });
        let results = futures_util::future::try_join_all(senders).await?;
        let elapsed = started.elapsed();
        let mut latencies: Vec<Duration> = results.into_iter().flatten().collect();
        latencies.sort_unstable();
        Ok(Took { elapsed, latencies })
    }
}

async fn send(
    stream: &mut TcpStream,
    requests: impl Iterator<Item = (usize, &Request)>,
    pace: Pace,
    started: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut answer = [0u8; 1024];
    for (number, request) in requests {
        let mut begun = Instant::now();
        if let Pace::PerSecond(rate) = pace {
            let due = started + Duration::from_secs(1) * u32::try_from(number)? / rate;
            if begun < due {
                tokio::time::sleep_until(due.into()).await;
                // how exactly this process wakes is not the receiver's doing
                begun = Instant::now();
            } else {
                begun = due;
            }
        }
        stream.write_all(request.text.as_bytes()).await?;
        let mut read = 0;
        while !answer.get(..read).is_some_and(|answer| answer.ends_with(b"\r\n\r\n")) {
            let rest = answer.get_mut(read..).context("an answer is too long")?;
            let more = stream.read(rest).await?;
            anyhow::ensure!(more > 0, "the receiver closed a connection");
            read += more;
        }
        latencies.push(begun.elapsed());
        let answer = answer.get(..read).unwrap_or_default();
        anyhow::ensure!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(answer));
    }
    Ok(latencies)
}
