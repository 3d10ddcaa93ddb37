//! The loop of every listener.
//!
//! It drives connections itself, since their number and their patience have to be bounded before there is a
//! request: where deliveries are taken, the address is open to everybody.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// Longest time from one answer to the end of the next request's header; then the connection is closed.
const HEADER_WITHIN: Duration = Duration::from_secs(30);
/// Most header fields of a request; Asana's have about ten.
const MAX_HEADERS: usize = 64;
/// Most bytes read ahead on one connection, and so of a header; Asana's have a few hundred.
const READ_AHEAD_BYTES: usize = 16 * 1024;
/// How long requests may go on after the end was asked for. What was not answered by then is sent again.
const GRACE: Duration = Duration::from_secs(5);
/// Pause when no connection can be accepted, as when all file handles are used.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// What a connection too many gets.
const TOO_MANY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// How many may come in at once.
#[derive(Debug, Clone, Copy)]
pub struct Doors {
    /// Connections at once; each takes some 10 to 30 KB.
    pub connections: usize,
}

impl Default for Doors {
    fn default() -> Doors {
        Doors { connections: 1_024 }
    }
}

/// Has requests answered until `stop` turns true; what is under way then gets a few seconds.
pub(crate) async fn serve<A, F>(
    listener: TcpListener,
    doors: Doors,
    mut stop: watch::Receiver<bool>,
    answer: A,
) where
    A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(doors.connections));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            // a sender that is gone means the same as stop
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => match places.clone().try_acquire_owned() {
                Ok(place) => {
                    connections.spawn(connection(stream, answer.clone(), place, stop.clone()));
                }
                Err(_) => turn_away(&stream),
            },
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection<A, F>(
    stream: TcpStream,
    answer: A,
    _place: OwnedSemaphorePermit,
    mut stop: watch::Receiver<bool>,
) where
    A: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<Body>>,
{
    // an answer is one small packet; without it one that is late costs some milliseconds
    let _ = stream.set_nodelay(true);
    let answer = service_fn(|request| {
        let answered = answer(request);
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_WITHIN)
        .max_headers(MAX_HEADERS)
        .max_buf_size(READ_AHEAD_BYTES)
        .serve_connection(TokioIo::new(stream), answer);
    let mut served = std::pin::pin!(served);
    let stopping = async {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    // how a connection ends is the client's business
    tokio::select! {
        _ = &mut served => {}
        () = stopping => {
            served.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(GRACE, served).await;
        }
    }
}

/// Without reading or waiting.
fn turn_away(stream: &TcpStream) {
    // the buffer of a new connection takes these few bytes; if not, closing says the same
    let _ = stream.try_write(TOO_MANY);
}
