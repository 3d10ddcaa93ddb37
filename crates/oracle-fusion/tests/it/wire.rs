//! A server below HTTP: it decides what becomes of a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A server that reads each request to its end and answers with these bytes.
pub struct Wire {
    pub address: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: AtomicUsize,
}

#[derive(Clone, Copy)]
enum Then {
    Close,
    KeepOpen,
}

impl Wire {
    /// Closes the connection after the answer.
    pub async fn answering(bytes: &'static [u8]) -> Self {
        Self::start(bytes, Then::Close).await
    }

    /// Leaves the connection open for the next request.
    pub async fn keeping_open(bytes: &'static [u8]) -> Self {
        Self::start(bytes, Then::KeepOpen).await
    }

    async fn start(bytes: &'static [u8], then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Seen::default());
        let wire = Self { address, seen: Arc::clone(&seen) };
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                seen.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(socket, bytes, then, Arc::clone(&seen)));
            }
        });
        wire
    }

    pub fn requests(&self) -> usize {
        self.seen.requests.load(Ordering::SeqCst)
    }

    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }
}

async fn serve(mut socket: TcpStream, bytes: &'static [u8], then: Then, seen: Arc<Seen>) {
    while whole_request(&mut socket).await {
        seen.requests.fetch_add(1, Ordering::SeqCst);
        let _ = socket.write_all(bytes).await;
        if matches!(then, Then::Close) {
            let _ = socket.shutdown().await;
            return;
        }
    }
}

/// Whether a request came with its whole body.
async fn whole_request(socket: &mut TcpStream) -> bool {
    let mut request = Vec::new();
    let mut part = [0; 16 << 10];
    loop {
        let read = socket.read(&mut part).await.unwrap_or(0);
        request.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if read == 0 {
                return false;
            } else {
                continue;
            };
        };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0usize) {
            return true;
        }
        if read == 0 {
            return false;
        }
    }
}
