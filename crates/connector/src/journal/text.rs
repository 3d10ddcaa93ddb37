//! Text for the interface: without control characters, and not longer than its column.

/// A text reference has at most this many characters.
pub const TEXT_CHARACTERS: usize = 240;

/// The text for a column of `limit` characters.
///
/// Control characters and line separators become spaces: the loader takes a line end for the end of the
/// record, quoted or not. Everything else is data and stays as it is, formula characters of spreadsheets
/// included: nothing opens this file in one.
#[must_use]
pub fn field(text: &str, limit: usize) -> String {
    let plain: String = text.chars().map(|c| if breaks(c) { ' ' } else { c }).collect();
    plain.trim().chars().take(limit).collect::<String>().trim_end().to_owned()
}

fn breaks(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(field("żółwik", 3), "żół");
        assert_eq!(field("日本語", 240), "日本語");
        assert_eq!(field("ab cd", 3), "ab");
    }

    #[test]
    fn line_ends_become_spaces_and_formulas_stay() {
        assert_eq!(field(" =1+1\r\nnext\ttab\u{2028}end\u{7f} ", 240), "=1+1  next tab end");
        assert_eq!(field("@SUM(A1)\u{0}", 240), "@SUM(A1)");
    }

    proptest! {
        #[test]
        fn a_field_is_never_longer_than_its_column_and_never_breaks_the_line(text in ".{0,300}", limit in 0usize..250) {
            let kept = field(&text, limit);
            prop_assert!(kept.chars().count() <= limit);
            prop_assert!(!kept.chars().any(breaks));
            prop_assert_eq!(field(&kept, limit), kept);
        }
    }
}
