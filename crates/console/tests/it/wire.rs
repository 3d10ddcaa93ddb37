//! A client that says exactly what it is told, over one connection that stays open.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer: its status and its headers, in lower case.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

pub struct Wire {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Wire {
    pub async fn to(address: SocketAddr) -> Wire {
        Wire { stream: TcpStream::connect(address).await.unwrap(), rest: Vec::new() }
    }

    /// Sends these bytes.
    pub async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// A request with a body and the headers that are given.
    pub async fn request(&mut self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut bytes = head(line, headers, Some(body.len())).into_bytes();
        bytes.extend_from_slice(body);
        self.send(&bytes).await.unwrap();
        self.answer().await.unwrap()
    }

    /// The next answer; `None` when the connection was closed before.
    pub async fn answer(&mut self) -> Option<Answer> {
        tokio::time::timeout(PATIENCE, self.read_answer()).await.unwrap()
    }

    async fn read_answer(&mut self) -> Option<Answer> {
        let end = loop {
            if let Some(end) = self.rest.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            self.stream.read_buf(&mut self.rest).await.ok().filter(|read| *read > 0)?;
        };
        let head = String::from_utf8(self.rest.drain(..end + 4).collect()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let answer = Answer { status, headers };
        let length: usize = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.rest.len() < length {
            if self.stream.read_buf(&mut self.rest).await.unwrap() == 0 {
                return None;
            }
        }
        self.rest.drain(..length);
        Some(answer)
    }
}

/// The head of a request.
pub fn head(line: &str, headers: &[(&str, &str)], length: Option<usize>) -> String {
    let mut head = format!("{line} HTTP/1.1\r\nhost: erp.example\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match length {
        Some(length) => head.push_str(&format!("content-length: {length}\r\n\r\n")),
        None => head.push_str("transfer-encoding: chunked\r\n\r\n"),
    }
    head
}
