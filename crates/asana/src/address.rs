//! Addresses of resources, built so that nothing from outside can lead to another resource.

use url::Url;

use crate::error::Error;

/// Longest gid accepted, in bytes; `external:` followed by 1,024 characters is the longest that Asana knows.
const MAX_GID_BYTES: usize = 4_200;

/// Checks the base address of a client. Plain HTTP is accepted for this very machine only, where stand-ins run:
/// the token would go to any other in the clear.
pub(crate) fn check_base(base: &Url) -> Result<(), Error> {
    let refused = |reason: &str| Err(Error::Config(format!("the base address {reason}")));
    let on_this_machine = match base.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => return refused("must name a host"),
    };
    if !(base.scheme() == "https" || base.scheme() == "http" && on_this_machine) {
        return refused("must start with https:// (http:// only for a stand-in on this machine)");
    }
    if !base.username().is_empty() || base.password().is_some() {
        return refused("must not carry credentials");
    }
    if base.query().is_some() || base.fragment().is_some() {
        return refused("must not have a query or a fragment");
    }
    Ok(())
}

/// Checks a gid that came from outside. Gids are opaque, so only what could never be one is refused; the rest
/// is percent-encoded as a single path segment.
pub(crate) fn gid<'a>(what: &str, gid: &'a str) -> Result<&'a str, Error> {
    let reason = if gid.is_empty() {
        "is empty"
    } else if gid.len() > MAX_GID_BYTES {
        "is too long"
    } else if matches!(gid, "." | "..") || gid.contains(['/', '\\', '%', '?', '#']) {
        "is not a gid"
    } else if gid.chars().any(|c| c.is_control() || c.is_whitespace()) {
        "has a space or control character in it"
    } else {
        return Ok(gid);
    };
    Err(Error::InvalidArgument(format!("the gid of the {what} {reason}")))
}

/// Checks what names a user: a gid, an e-mail address, or `me`. An address goes into the path like a gid, so what
/// no gid may hold is refused in it too.
pub(crate) fn user(text: &str) -> Result<&str, Error> {
    gid("user", text).map_err(|_| {
        Error::InvalidArgument(
            "a user is named by gid, by e-mail address or by \"me\", without spaces".into(),
        )
    })
}

/// The address of a resource: the base, the path segments, the query.
pub(crate) fn resource(base: &Url, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Error> {
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| Error::Config("the base address cannot carry a path".into()))?
        .pop_if_empty()
        .extend(path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> Url {
        Url::parse("https://asana.test/api/1.0/").unwrap()
    }

    #[test]
    fn a_gid_that_could_lead_elsewhere_is_refused() {
        for bad in ["", ".", "..", "1/2", "..\\1", "1%2f2", "1?a=b", "1#x", "1 2", "1\n", "\u{a0}"] {
            assert!(matches!(gid("task", bad), Err(Error::InvalidArgument(_))), "{bad:?}");
        }
        for good in ["1201", "external:oracle-300100", "me"] {
            assert_eq!(gid("task", good).unwrap(), good);
        }
    }

    #[test]
    fn a_base_that_cannot_be_used_is_refused() {
        for bad in [
            "ftp://asana.test/",
            "http://asana.test/",
            "http://127.0.0.1.asana.test/",
            "http://10.0.0.1/",
            "mailto:a@asana.test",
            "https://user:pass@asana.test/",
            "https://asana.test/?a=b",
            "https://asana.test/#x",
        ] {
            assert!(matches!(check_base(&Url::parse(bad).unwrap()), Err(Error::Config(_))), "{bad}");
        }
        for good in ["http://127.0.0.1:8080/api/1.0", "http://[::1]:80/", "http://localhost:1/"] {
            assert!(check_base(&Url::parse(good).unwrap()).is_ok(), "{good}");
        }
        assert!(check_base(&base()).is_ok());
    }

    #[test]
    fn path_and_query_are_encoded() {
        let url = resource(&base(), &["tasks", "external:é"], &[("a", "1&b=2"), ("f", "x,y")]).unwrap();
        assert_eq!(url.as_str(), "https://asana.test/api/1.0/tasks/external:%C3%A9?a=1%26b%3D2&f=x%2Cy");
    }

    proptest! {
        #[test]
        fn an_accepted_gid_stays_one_segment(text in "\\PC{1,20}") {
            if let Ok(accepted) = gid("task", &text) {
                let url = resource(&base(), &["tasks", accepted], &[]).unwrap();
                let segments: Vec<&str> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 4);
                prop_assert_eq!(&segments[..3], &["api", "1.0", "tasks"]);
            }
        }
    }
}
