//! The private server over TCP, as most databases are reached.
//!
//! A pipe of two sockets, so it costs some processor time of its own; what it shows is whether waiting
//! comes in, such as a client that writes twice before it reads while the other side delays its ACK.

use std::path::PathBuf;

use anyhow::Context;
use tokio::net::{TcpListener, UnixStream};
use url::Url;

/// Forwards a free port to the server's socket until it is dropped; its URL is `url`.
pub struct Forwarded {
    /// The database of the given URL, over TCP.
    pub url: String,
    task: tokio::task::JoinHandle<()>,
}

impl Forwarded {
    /// Forwards to the database that `url` reaches over a Unix socket.
    pub async fn to(url: &str) -> anyhow::Result<Forwarded> {
        let mut url = Url::parse(url)?;
        let directory =
            url.query_pairs().find(|(name, _)| name == "host").map(|(_, value)| value.into_owned());
        let port = url.port().unwrap_or(5432);
        let socket =
            PathBuf::from(directory.context("the URL names no socket")?).join(format!(".s.PGSQL.{port}"));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        url.set_query(Some("sslmode=disable"));
        let free = listener.local_addr()?.port();
        if url.set_host(Some("127.0.0.1")).is_err() || url.set_port(Some(free)).is_err() {
            anyhow::bail!("the URL cannot name a port");
        }
        Ok(Forwarded { url: url.into(), task: tokio::spawn(forward(listener, socket)) })
    }
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(listener: TcpListener, socket: PathBuf) {
    while let Ok((mut client, _)) = listener.accept().await {
        // PostgreSQL sets it too
        let _ = client.set_nodelay(true);
        let socket = socket.clone();
        tokio::spawn(async move {
            if let Ok(mut server) = UnixStream::connect(socket).await {
                // both ends see when one closes
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            }
        });
    }
}
