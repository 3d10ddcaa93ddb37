//! A server below HTTP: it decides what becomes of a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A server that reads each request to its end, answers with these bytes, and closes.
pub struct Wire {
    pub address: String,
    requests: Arc<AtomicUsize>,
}

impl Wire {
    pub async fn answering(bytes: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                if whole_request(&mut socket).await {
                    count.fetch_add(1, Ordering::SeqCst);
                    let _ = socket.write_all(bytes).await;
                    let _ = socket.shutdown().await;
                }
            }
        });
        Self { address, requests }
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
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
