//! Addresses as people give them. Pure.

use url::Url;

use crate::code::Code;
use crate::error::{Error, Result};

/// The path of the token endpoint on an identity domain.
const TOKEN_PATH: &str = "/oauth2/v1/token";
/// Whose addresses are known to have no path of their own.
const ORACLE_CLOUD: &str = ".oraclecloud.com";

/// Oracle's address as people give it: copied from a browser with whatever follows the host, the host alone, or the
/// pod's name and its region.
///
/// # Errors
/// [`Code::SettingsInvalid`] when it is no address that a token may be sent to.
pub fn oracle_url(text: &str) -> Result<Url> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if let [pod, region] = words[..] {
        return oracle_fusion::Config::pod_url(pod, region)
            .map_err(|error| Error::new(Code::SettingsInvalid, error.to_string()));
    }
    let mut url = address(text)?;
    if url.host_str().is_some_and(|host| host.ends_with(ORACLE_CLOUD)) {
        url.set_path("");
        url.set_query(None);
        url.set_fragment(None);
    }
    fit(url)
}

/// The token endpoint as people give it: whole, or the identity domain's host alone.
///
/// # Errors
/// [`Code::SettingsInvalid`] when it is no address that a secret may be sent to.
pub fn token_url(text: &str) -> Result<Url> {
    let mut url = address(text)?;
    if matches!(url.path(), "" | "/") {
        url.set_path(TOKEN_PATH);
    }
    fit(url)
}

fn address(text: &str) -> Result<Url> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let none = || Error::new(Code::SettingsInvalid, "that is no address such as https://host.example");
    Url::parse(&whole).ok().filter(Url::has_host).ok_or_else(none)
}

/// Refuses what the client refuses.
fn fit(url: Url) -> Result<Url> {
    let secret = secrecy::SecretString::from("");
    let config = oracle_fusion::Config::new(url.clone(), url.clone(), "-".to_owned(), secret, "-".to_owned());
    config.check().map_err(|error| Error::new(Code::SettingsInvalid, error.to_string()))?;
    Ok(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_taken_as_people_copy_it() {
        let pod = "https://acme.fa.us2.oraclecloud.com/";
        for text in [
            pod,
            "acme us2",
            " acme.fa.us2.oraclecloud.com ",
            "https://acme.fa.us2.oraclecloud.com/fscmUI/faces/FuseWelcome?_afrLoop=1#x",
        ] {
            assert_eq!(oracle_url(text).unwrap().as_str(), pod, "{text}");
        }
        assert_eq!(oracle_url("http://127.0.0.1:8401/a").unwrap().as_str(), "http://127.0.0.1:8401/a");
        for text in ["", "acme us2 x", "http://acme.example", "https://u:p@acme.example", "https://"] {
            assert!(oracle_url(text).is_err(), "{text}");
        }
        let token = "https://idcs-1.identity.oraclecloud.com/oauth2/v1/token";
        for text in [token, "idcs-1.identity.oraclecloud.com", "https://idcs-1.identity.oraclecloud.com/"] {
            assert_eq!(token_url(text).unwrap().as_str(), token, "{text}");
        }
        assert_eq!(token_url("https://own.example/x/token").unwrap().path(), "/x/token");
        assert!(token_url("http://idcs.example").is_err());
    }

    proptest! {
        #[test]
        fn no_address_makes_the_reader_panic(text in "\\PC{0,60}") {
            for url in [oracle_url(&text), token_url(&text)].into_iter().flatten() {
                prop_assert!(matches!(url.scheme(), "https" | "http"));
            }
        }
    }
}
