//! Amounts as the pages show them: every digit kept, thousands set apart.

/// Puts a comma between each three digits before the decimal point; what is no plain decimal stays as it is.
pub(crate) fn grouped(text: &str) -> String {
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, decimals) = unsigned.split_once('.').map_or((unsigned, None), |(w, d)| (w, Some(d)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !decimals.is_none_or(digits) {
        return text.to_owned();
    }
    let mut out = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(decimals) = decimals {
        out.push('.');
        out.push_str(decimals);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_set_apart_and_no_digit_is_lost() {
        for (text, shown) in [
            ("0", "0"),
            ("999.10", "999.10"),
            ("1000", "1,000"),
            ("-1234567.5", "-1,234,567.5"),
            ("496743473000", "496,743,473,000"),
        ] {
            assert_eq!(grouped(text), shown);
            assert_eq!(grouped(text).replace(',', ""), text);
        }
    }

    #[test]
    fn what_is_no_plain_decimal_stays_as_it_is() {
        for text in ["–", "", "1e9", "1.2.3", "a lot", "-", "5."] {
            assert_eq!(grouped(text), text);
        }
    }
}
