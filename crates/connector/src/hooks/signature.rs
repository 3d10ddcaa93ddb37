//! The signature of a delivery: HMAC-SHA256 over the raw body, in hex. The key is the secret's characters as
//! they came, not what their hex digits mean (developers.asana.com, "Webhooks", "Security").
//!
//! It covers neither time nor target, so a delivery that was captured can be sent again: what arrives twice
//! must change nothing.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Hex digits of a signature.
const HEX_DIGITS: usize = 64;

/// Checks the signatures of one registration.
#[derive(Clone)]
pub struct Verifier {
    keyed: Hmac<Sha256>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

impl Verifier {
    /// For deliveries signed with this secret.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    pub fn new(secret: &SecretString) -> Verifier {
        let keyed = Hmac::new_from_slice(secret.expose_secret().as_bytes());
        Verifier { keyed: keyed.expect("HMAC takes keys of any length") }
    }

    /// Whether the signature is that of the body, in time that does not depend on where they differ.
    #[must_use]
    pub fn accepts(&self, signature: &[u8], body: &[u8]) -> bool {
        let Some(signature) = unhex(signature) else { return false };
        self.keyed.clone().chain_update(body).verify_slice(&signature).is_ok()
    }
}

fn unhex(text: &[u8]) -> Option<[u8; HEX_DIGITS / 2]> {
    if text.len() != HEX_DIGITS {
        return None;
    }
    let mut bytes = [0u8; HEX_DIGITS / 2];
    for (byte, digits) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        for digit in digits {
            let value = char::from(*digit).to_digit(16)?;
            *byte = (*byte << 4) | u8::try_from(value).ok()?;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sign(secret: &str, body: &[u8]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(body);
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_key_is_the_characters_of_the_secret() {
        // computed with: printf '{"events":[]}' | openssl dgst -sha256 -hmac SECRET
        let secret = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81";
        let known = "10468027b67df18c739cc4794c6fc2d2806dcaaf2259fc3e1ed9d26433659853";
        assert!(Verifier::new(&SecretString::from(secret)).accepts(known.as_bytes(), br#"{"events":[]}"#));
    }

    proptest! {
        #[test]
        fn only_the_signature_of_this_body_under_this_secret_is_accepted(
            secret in "[0-9a-f]{1,64}", body: Vec<u8>, other in "[0-9a-f]{1,64}", place in 0usize..HEX_DIGITS,
        ) {
            let verifier = Verifier::new(&SecretString::from(secret.clone()));
            let good = sign(&secret, &body);
            prop_assert!(verifier.accepts(good.as_bytes(), &body));
            let mut bent = good.clone().into_bytes();
            bent[place] = if bent[place] == b'0' { b'1' } else { b'0' };
            prop_assert!(!verifier.accepts(&bent, &body));
            prop_assert!(!verifier.accepts(&good.as_bytes()[..place], &body));
            let mut longer = body.clone();
            longer.push(b' ');
            prop_assert!(!verifier.accepts(good.as_bytes(), &longer));
            prop_assert_eq!(verifier.accepts(sign(&other, &body).as_bytes(), &body), other == secret);
        }

        #[test]
        fn no_header_panics(header: Vec<u8>, body: Vec<u8>) {
            prop_assert!(!Verifier::new(&SecretString::from("secret")).accepts(&header, &body));
        }
    }
}
