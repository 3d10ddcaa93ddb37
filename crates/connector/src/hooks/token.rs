//! The token in a target's address: who may send to which registration.
//!
//! A token carries the connection's id, 128 random bits, and a truncated HMAC over both under a key that is
//! derived from the key-encryption key. So a made-up token is refused with nothing but arithmetic, and a genuine
//! one says where to look. The database knows only its digest.
//!
//! With another key-encryption key, no target of before is genuine any more; the watchdog registers anew.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;
use uuid::Uuid;

use crate::ids::ConnectionId;
use crate::key::MasterKey;

/// Where targets stand below the public address; the token follows.
pub const PATH: &str = "/hooks/asana/";

/// What the derived key is for.
const PURPOSE: &str = "ml-connector target token 1";
/// Bytes of the connection's id.
const ID_BYTES: usize = 16;
/// Bytes that nobody can guess.
const RANDOM_BYTES: usize = 16;
/// Bytes kept of the HMAC: as hard to forge as the random part is to guess.
const TAG_BYTES: usize = 16;
const SIGNED_BYTES: usize = ID_BYTES + RANDOM_BYTES;
const TOKEN_BYTES: usize = SIGNED_BYTES + TAG_BYTES;
/// Characters of a token: base64url without padding.
const TOKEN_CHARACTERS: usize = TOKEN_BYTES / 3 * 4;

/// SHA-256 of a token: what the database knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenDigest(pub [u8; 32]);

/// Makes tokens and tells genuine ones.
#[derive(Clone)]
pub struct Tokens {
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

/// Whose a target is, as far as its address tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// A registration of this connection.
    Ours {
        /// The token's digest.
        digest: TokenDigest,
        /// Whether it leads to the present public address.
        here: bool,
    },
    /// Somebody else's, another connection's, or one made under another key.
    Foreign,
}

impl Tokens {
    /// Tokens under this key.
    #[must_use]
    pub fn new(master: &MasterKey) -> Tokens {
        Tokens { mac: master.mac(PURPOSE) }
    }

    /// A new token of a connection, with its digest.
    #[must_use]
    pub fn mint(&self, connection: ConnectionId) -> (SecretString, TokenDigest) {
        let mut bytes = Vec::with_capacity(TOKEN_BYTES);
        bytes.extend_from_slice(connection.0.as_bytes());
        bytes.extend_from_slice(&rand::random::<[u8; RANDOM_BYTES]>());
        let tag = self.mac.clone().chain_update(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(tag.get(..TAG_BYTES).unwrap_or_default());
        (SecretString::from(URL_SAFE_NO_PAD.encode(&bytes)), digest(&bytes))
    }

    /// Which connection a token belongs to; `None` unless it is genuine.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<(ConnectionId, TokenDigest)> {
        if token.len() != TOKEN_CHARACTERS {
            return None;
        }
        let mut bytes = [0u8; TOKEN_BYTES];
        URL_SAFE_NO_PAD.decode_slice(token, &mut bytes).ok().filter(|read| *read == TOKEN_BYTES)?;
        let (signed, tag) = bytes.split_at_checked(SIGNED_BYTES)?;
        self.mac.clone().chain_update(signed).verify_truncated_left(tag).ok()?;
        Some((ConnectionId(Uuid::from_slice(signed.get(..ID_BYTES)?).ok()?), digest(&bytes)))
    }

    /// Judges a target that Asana names.
    #[must_use]
    pub fn judge(&self, connection: ConnectionId, public_url: &Url, target: &str) -> Whose {
        let genuine = target.rsplit_once('/').and_then(|(_, token)| self.read(token));
        match genuine {
            Some((owner, digest)) if owner == connection => {
                let here = target.len().checked_sub(TOKEN_CHARACTERS).and_then(|end| target.get(..end))
                    == Some(prefix(public_url).as_str());
                Whose::Ours { digest, here }
            }
            _ => Whose::Foreign,
        }
    }
}

/// The address that deliveries for this token go to.
#[must_use]
pub fn target(public_url: &Url, token: &SecretString) -> SecretString {
    SecretString::from(prefix(public_url) + token.expose_secret())
}

fn prefix(public_url: &Url) -> String {
    format!("{}{PATH}", public_url.as_str().trim_end_matches('/'))
}

fn digest(token: &[u8]) -> TokenDigest {
    TokenDigest(Sha256::digest(token).into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens() -> Tokens {
        Tokens::new(&MasterKey::from_base64(&MasterKey::generate()).unwrap())
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_made_token_leads_to_its_connection_and_stays_in_one_path_segment() {
        let tokens = tokens();
        let connection = ConnectionId::new();
        let (token, digest) = tokens.mint(connection);
        assert_eq!(tokens.read(token.expose_secret()), Some((connection, digest)));
        assert!(token.expose_secret().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_eq!(token.expose_secret().len(), TOKEN_CHARACTERS);
        let (other, other_digest) = tokens.mint(connection);
        assert_ne!((other.expose_secret(), other_digest), (token.expose_secret(), digest));
    }

    #[test]
    fn a_token_of_another_key_is_not_genuine() {
        let (token, _) = tokens().mint(ConnectionId::new());
        assert_eq!(tokens().read(token.expose_secret()), None);
    }

    #[test]
    fn a_target_is_judged_by_its_token_and_its_place() {
        let tokens = tokens();
        let (connection, here) = (ConnectionId::new(), url("https://erp.example/base/"));
        let (token, digest) = tokens.mint(connection);
        let ours = target(&here, &token);
        let expected = format!("https://erp.example/base/hooks/asana/{}", token.expose_secret());
        assert_eq!(ours.expose_secret(), expected);
        let judge = |connection, target: &str| tokens.judge(connection, &here, target);
        assert_eq!(judge(connection, ours.expose_secret()), Whose::Ours { digest, here: true });
        let moved = target(&url("https://old.example"), &token);
        assert_eq!(judge(connection, moved.expose_secret()), Whose::Ours { digest, here: false });
        assert_eq!(judge(ConnectionId::new(), ours.expose_secret()), Whose::Foreign);
        for foreign in ["", "/", "https://other.example/hook", "https://erp.example/base/hooks/asana/"] {
            assert_eq!(judge(connection, foreign), Whose::Foreign, "{foreign}");
        }
    }

    proptest! {
        #[test]
        fn no_text_but_a_made_token_is_genuine(text in "\\PC{0,80}", place in 0usize..TOKEN_CHARACTERS, other: char) {
            let tokens = tokens();
            prop_assert_eq!(tokens.read(&text), None);
            let (token, _) = tokens.mint(ConnectionId::new());
            let mut changed: Vec<char> = token.expose_secret().chars().collect();
            changed[place] = other;
            let changed: String = changed.into_iter().collect();
            prop_assert_eq!(tokens.read(&changed).is_some(), changed == token.expose_secret());
            prop_assert_eq!(tokens.read(&token.expose_secret()[..place]), None);
        }
    }
}
