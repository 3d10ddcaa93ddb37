//! A server that answers every request with an error that repeats the request's head, secrets and all, as
//! some proxies do.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// How the head is repeated.
#[derive(Debug, Clone, Copy)]
pub enum Echo {
    /// In the title and the text of a page, with 500.
    Page,
    /// As plain text, with 403.
    Text,
    /// In Asana's, Oracle's and the token endpoint's own form of an error, with 400.
    Json,
    /// In a page that claims to be the answer, with 200.
    Success,
}

/// Serves until the test ends; returns the address.
pub async fn serve(echo: Echo) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut head, mut piece) = (Vec::new(), [0; 4096]);
                while !head.windows(4).any(|four| four == b"\r\n\r\n") {
                    match stream.read(&mut piece).await {
                        Ok(0) | Err(_) => return,
                        Ok(read) => head.extend_from_slice(&piece[..read]),
                    }
                }
                // the peer may be gone by now
                let _ = stream.write_all(answer(echo, &String::from_utf8_lossy(&head)).as_bytes()).await;
            });
        }
    });
    address
}

fn answer(echo: Echo, head: &str) -> String {
    // the secret alone as well, without what stands before it
    let alone: Vec<&str> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"))
        .map(|(_, value)| value.rsplit(' ').next().unwrap_or(value))
        .collect();
    let words = format!("{} // {head}", alone.join(" "));
    let page =
        format!("<html><head><title>Error {words}</title></head><body><pre>{head}</pre></body></html>");
    let quoted = serde_json::to_string(&words).unwrap();
    let json = format!(
        "{{\"errors\":[{{\"message\":{quoted},\"help\":{quoted}}}],\"title\":{quoted},\"detail\":{quoted},\
         \"o:errorCode\":{quoted},\"error\":{quoted},\"error_description\":{quoted}}}"
    );
    let (status, kind, body) = match echo {
        Echo::Page => ("500 Internal Server Error", "text/html", page),
        Echo::Text => ("403 Forbidden", "text/plain", words),
        Echo::Json => ("400 Bad Request", "application/json", json),
        Echo::Success => ("200 OK", "text/html", page),
    };
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
