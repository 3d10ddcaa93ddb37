//! Addresses that deliveries go to.

use std::net::IpAddr;

use url::{Host, Url};

use super::config::LocalTargets;
use crate::asana::error::Fail;

/// Reads the target of a webhook. The words of the refusals are not documented, the 403 is.
pub(crate) fn read(text: &str, local: LocalTargets) -> Result<Url, Fail> {
    let wrong = || Fail::bad(format!("target: Not a valid URL: {text}"));
    let url = Url::parse(text).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong());
    }
    let host = url.host().ok_or_else(wrong)?;
    if local == LocalTargets::Refuse && is_local(&host) {
        return Err(Fail::new(403, format!("target: Invalid hostname: {host}")));
    }
    Ok(url)
}

/// Whether a host is this machine or in a private network, as far as its text says so.
fn is_local(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(ip) => {
            ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_broadcast()
        }
        Host::Ipv6(ip) => match ip.to_canonical() {
            IpAddr::V4(ip) => is_local(&Host::Ipv4(ip)),
            IpAddr::V6(ip) => {
                ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local()
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_targets_are_told_from_others() {
        for (text, local) in [
            ("http://localhost:8080/x", true),
            ("https://LOCALHOST./x", true),
            ("https://hooks.localhost/x", true),
            ("http://127.0.0.1/x", true),
            ("http://127.1/x", true),
            ("http://10.1.2.3/x", true),
            ("http://192.168.0.9/x", true),
            ("http://169.254.169.254/x", true),
            ("http://[::1]/x", true),
            ("http://[::ffff:127.0.0.1]/x", true),
            ("http://[fd00::1]/x", true),
            ("https://erp.example/h/TOKEN?a=b", false),
            ("https://notlocalhost.example/", false),
            ("http://93.184.216.34/", false),
        ] {
            assert_eq!(read(text, LocalTargets::Refuse).is_err_and(|f| f.status == 403), local, "{text}");
            assert!(read(text, LocalTargets::Accept).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        for text in ["", "erp.example/h", "ftp://erp.example/h", "mailto:a@b.example", "https://"] {
            assert_eq!(read(text, LocalTargets::Accept).unwrap_err().status, 400, "{text}");
        }
    }
}
