//! Whether anything listens at an address that was given, before a secret is asked for.

use std::time::Duration;

use tokio::net::TcpStream;
use url::Url;

use crate::code::Code;
use crate::error::{Error, Result};

/// How long an address may take; a person waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connects to the address and says nothing.
///
/// # Errors
/// [`Code::AddressSilent`]. Where a proxy leads out, that need not mean anything.
pub async fn reach(url: &Url) -> Result<()> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or_default();
    let silent = |why: &str| Error::new(Code::AddressSilent, format!("{host}, port {port}: {why}"));
    match tokio::time::timeout(PATIENCE, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(silent(&error.to_string())),
        Err(_) => Err(silent("no answer within ten seconds")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_where_nothing_listens_is_told_with_its_host_and_port() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/x", listener.local_addr().unwrap())).unwrap();
        reach(&url).await.unwrap();
        drop(listener);
        let error = reach(&url).await.unwrap_err();
        assert_eq!(error.code, Code::AddressSilent);
        assert!(error.message.starts_with("127.0.0.1, port "), "{error}");
        let nowhere = Url::parse("https://nowhere.invalid/").unwrap();
        assert_eq!(reach(&nowhere).await.unwrap_err().code, Code::AddressSilent);
    }
}
