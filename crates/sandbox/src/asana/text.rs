//! Notes and comments as plain text and as Asana's HTML.

use super::error::Fail;

/// Plain text in Asana's HTML envelope.
pub(crate) fn to_html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<body>{escaped}</body>")
}

/// The text of a fragment that is wrapped in `<body>`; anything else is refused.
///
/// That the wrapper is needed is documented (<https://developers.asana.com/docs/rich-text>), the message is not.
pub(crate) fn from_html(field: &str, html: &str) -> Result<String, Fail> {
    let inner = html.trim().strip_prefix("<body>").and_then(|rest| rest.strip_suffix("</body>"));
    let Some(inner) = inner else { return Err(Fail::bad(format!("{field}: XML is invalid"))) };
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('>') else {
            return Err(Fail::bad(format!("{field}: XML is invalid")));
        };
        let tag = &rest[open + 1..open + close];
        if matches!(tag, "/li" | "/h1" | "/h2" | "br/" | "br") {
            text.push('\n');
        }
        rest = &rest[open + close + 1..];
    }
    text.push_str(rest);
    Ok(text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_without_a_body_is_refused() {
        assert_eq!(from_html("html_notes", "<b>x</b>").unwrap_err().status, 400);
    }

    #[test]
    fn text_survives_the_way_through_html() {
        let text = "R&D <ACME>";
        assert_eq!(from_html("html_notes", &to_html(text)).unwrap(), text);
        assert_eq!(from_html("html_notes", "<body><ul><li>a</li><li>b</li></ul></body>").unwrap(), "a\nb\n");
    }
}
