//! A public address in front of `serve`, as a reverse proxy is: it hands connections on and remembers what came in.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The address, and where it leads.
pub struct Door {
    pub url: String,
    leads_to: Arc<Mutex<Option<SocketAddr>>>,
    came_in: Arc<Mutex<String>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Door {
    /// A door that leads nowhere yet: whoever comes is turned away.
    pub async fn new() -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (leads_to, came_in) =
            (Arc::<Mutex<Option<SocketAddr>>>::default(), Arc::<Mutex<String>>::default());
        let (target, heard) = (leads_to.clone(), came_in.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let target = *target.lock().unwrap();
                tokio::spawn(hand_on(stream, target, heard.clone()));
            }
        });
        Door { url, leads_to, came_in, accepting }
    }

    pub fn leads_to(&self, address: Option<SocketAddr>) {
        *self.leads_to.lock().unwrap() = address;
    }

    /// The tokens of targets and the secrets of handshakes that came in, each once.
    pub fn secrets(&self) -> Vec<String> {
        let came_in = self.came_in.lock().unwrap();
        let mut found: Vec<String> = came_in
            .lines()
            .filter_map(|line| {
                let target = line.strip_prefix("POST /hooks/asana/").and_then(|rest| rest.split(' ').next());
                let secret =
                    line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("x-hook-secret"));
                target.or(secret.map(|(_, value)| value.trim())).map(str::to_owned)
            })
            .collect();
        found.sort();
        found.dedup();
        found
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn hand_on(mut from: TcpStream, target: Option<SocketAddr>, heard: Arc<Mutex<String>>) {
    let Some(target) = target else { return };
    let Ok(mut to) = TcpStream::connect(target).await else { return };
    let (mut reads, mut writes) = from.split();
    let (mut answers, mut asks) = to.split();
    let asking = async {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = reads.read(&mut buffer).await {
            heard.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
            if asks.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
        let _ = asks.shutdown().await;
    };
    let answering = async {
        let _ = tokio::io::copy(&mut answers, &mut writes).await;
        let _ = writes.shutdown().await;
    };
    tokio::join!(asking, answering);
}
