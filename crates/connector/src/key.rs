//! The key-encryption key: given from outside, never stored, never shown.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::code::Code;
use crate::error::{Error, Result};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// A key file is at most this long.
const MAX_FILE_BYTES: u64 = 4096;

/// The key that wraps every connection's data key.
pub struct MasterKey {
    key: SecretBox<[u8; KEY_BYTES]>,
    id: String,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

impl MasterKey {
    /// Reads a key from base64, as `head -c 32 /dev/urandom | base64` prints it.
    pub fn from_base64(text: &SecretString) -> Result<MasterKey> {
        let malformed = || Error::plain(Code::KeyMalformed);
        let bytes = Zeroizing::new(STANDARD.decode(text.expose_secret().trim()).map_err(|_| malformed())?);
        let mut key = Box::new([0u8; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            return Err(malformed());
        }
        key.copy_from_slice(&bytes);
        let id = hex8(&Sha256::digest(bytes.as_slice()));
        Ok(MasterKey { key: SecretBox::new(key), id })
    }

    /// Reads a key file.
    pub fn from_file(path: &Path) -> Result<MasterKey> {
        let unreadable = |e: std::io::Error| {
            Error::new(Code::InputUnreadable, format!("the key file {} cannot be read", path.display()))
                .because(e)
        };
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE_BYTES {
            return Err(Error::plain(Code::KeyMalformed));
        }
        MasterKey::from_base64(&SecretString::from(std::fs::read_to_string(path).map_err(unreadable)?))
    }

    /// Makes a key in base64.
    #[must_use]
    pub fn generate() -> SecretString {
        let bytes: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new(rand::random());
        SecretString::from(STANDARD.encode(bytes.as_slice()))
    }

    /// A fingerprint that tells keys apart without telling the key.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// HMAC-SHA256 under a key of its own for `purpose`, which tells nothing of this key.
    pub(crate) fn mac(&self, purpose: &str) -> Hmac<Sha256> {
        let mut derive = keyed(self.key.expose_secret());
        derive.update(purpose.as_bytes());
        let derived: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new(derive.finalize().into_bytes().into());
        keyed(derived.as_slice())
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        self.key.expose_secret()
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn hex8(digest: &[u8]) -> String {
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_key_can_be_read_and_shows_only_its_fingerprint() {
        let text = MasterKey::generate();
        let key = MasterKey::from_base64(&text).unwrap();
        assert_eq!(key.id(), MasterKey::from_base64(&text).unwrap().id());
        assert!(!format!("{key:?}").contains(text.expose_secret()));
    }

    #[test]
    fn keys_for_two_purposes_or_of_two_masters_differ() {
        let master = || MasterKey::from_base64(&MasterKey::generate()).unwrap();
        let (one, other) = (master(), master());
        let tag = |key: &MasterKey, purpose| key.mac(purpose).chain_update(b"x").finalize().into_bytes();
        assert_eq!(tag(&one, "a"), tag(&one, "a"));
        assert_ne!(tag(&one, "a"), tag(&one, "b"));
        assert_ne!(tag(&one, "a"), tag(&other, "a"));
    }

    #[test]
    fn a_short_or_odd_key_is_refused() {
        for text in ["", "abc", "not base64!", "AAAA"] {
            let refused = MasterKey::from_base64(&SecretString::from(text)).unwrap_err();
            assert_eq!(refused.code, Code::KeyMalformed);
        }
    }
}
