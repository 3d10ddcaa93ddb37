//! What anybody may post: targets, signatures, and bodies with events.

use connector::hooks::event::{self, MAX_EVENTS};
use connector::hooks::resource::ResourceKind;
use connector::hooks::signature::Verifier;
use connector::hooks::token::Tokens;
use connector::key::MasterKey;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::Sha256;

const SECRET: &str = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81";
/// The longest text kept of an event, in bytes.
const KEPT_BYTES: usize = 64;

/// The first line is a header or a target, the rest a body.
pub fn check(input: &[u8]) {
    let (header, body) = match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[][..]),
    };
    signature(header, body);
    let key = MasterKey::from_base64(&SecretString::from("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    let tokens = Tokens::new(&key.expect("32 bytes"));
    assert!(tokens.read(&String::from_utf8_lossy(header)).is_none(), "a target that nobody made is genuine");
    if let Ok(body) = std::str::from_utf8(body) {
        events(body);
    }
}

fn signature(header: &[u8], body: &[u8]) {
    let verifier = Verifier::new(&SecretString::from(SECRET));
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key").chain_update(body);
    let good: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(verifier.accepts(good.as_bytes(), body));
    assert_eq!(verifier.accepts(header, body), header.eq_ignore_ascii_case(good.as_bytes()));
}

fn events(body: &str) {
    for kind in [ResourceKind::Project, ResourceKind::Workspace] {
        let Ok(found) = event::read(kind, body) else {
            assert!(event::read(kind, body).is_err());
            continue;
        };
        assert!(found.len() <= MAX_EVENTS);
        assert_eq!(event::read(kind, body).ok().as_ref(), Some(&found), "one body, two readings");
        for event in found {
            let kept = [&event.resource_type, &event.resource_gid, &event.action];
            let more = [&event.parent_gid, &event.field];
            for text in kept.into_iter().chain(more.into_iter().flatten()) {
                assert!(
                    text.len() <= KEPT_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic()),
                    "{text:?}"
                );
            }
            assert!(!event.open || !event.resource_gid.is_empty(), "there is nothing to look at");
        }
    }
}
