//! Codes that a rejected or accepted row carries, with their meaning.
//!
//! From "Error Codes for Journal Import" (Oracle General Ledger guide); the sentences are this project's own.
//! `EM01` for an unknown category stands on no page that could be read and is taken from the older product.

/// What a code means, for logs.
pub(crate) fn meaning(code: &str) -> &'static str {
    match code {
        "EP01" => "The date is not in an open or future-enterable period.",
        "EP02" => "The ledger has no open or future-enterable period.",
        "EP03" => "The date is not in an open encumbrance year.",
        "WU01" => {
            "The journal is unbalanced; suspense posting is allowed in the ledger, and it was processed."
        }
        "EU02" => "The journal is unbalanced, and suspense posting is not allowed in the ledger.",
        "EF01" => "The account is inactive on the accounting date.",
        "EF02" => "Detail posting to the account is not allowed.",
        "EF03" => "The account is disabled.",
        "EF04" => "The account is invalid; check segment values and cross-validation rules.",
        "EF05" => "There is no account with this code combination id.",
        "WF02" => "The suspense account was used in place of the account.",
        "EC01" => "The conversion type User needs a conversion rate.",
        "EC02" => "The conversion date is missing.",
        "EC03" => "A foreign currency line needs a conversion type or an accounted amount.",
        "EC06" => "There is no conversion rate for this currency, type and date.",
        "EC08" => "The currency is invalid or disabled.",
        "EC11" => "The conversion type is invalid.",
        "EC12" => "In the ledger's currency the entered and the accounted amount must be equal.",
        "EC13" => "The amount is too large.",
        "ECW1" => "The accounted amount could not be checked, as no conversion type was given.",
        "EM01" => "The journal category is invalid.",
        "P" => "The row itself is without errors; another row of its group was rejected.",
        _ => "",
    }
}

/// Codes beginning with E reject, those with W warn; `ECW1` only warns.
pub(crate) fn rejects(code: &str) -> bool {
    code.starts_with('E') && code != "ECW1"
}
