//! Which segment of a charge account is the cost center, shown on an account of the pod.

use connector::charge_account::AccountLayout;
use connector::guide::offers;
use connector::manage::{self, Secrets};
use connector::store::connections::Connection;

use super::{Guide, prompt, words};
use crate::output;

/// Asks for what stands between two segments, where that is not plain, and for the cost center's; then stores it.
pub async fn ask(guide: &mut Guide<'_>, connection: &Connection) -> anyhow::Result<()> {
    let layout = match offers::charge_account(&guide.engine, connection).await {
        Ok(Some(account)) => layout(&account)?,
        Ok(None) => None,
        Err(error) => {
            prompt::refused(&error);
            None
        }
    };
    match layout {
        Some(layout) if layout != connection.settings.routing.account => {
            let mut settings = connection.settings.clone();
            settings.routing.account = layout;
            manage::edit(&guide.engine, connection, &settings, &Secrets::default()).await?;
        }
        Some(_) => {}
        None => {
            let usual = AccountLayout::default();
            output::say(&format!(
                "  no charge account can be shown: segment {} after `{}` counts as the cost center; \
                 [routing.account] in the connection's file changes that",
                usual.cost_center_segment, usual.delimiter
            ));
        }
    }
    guide.answers.accounts = true;
    guide.keep().await
}

/// How an account is cut, by a person's words; `None` when it cannot be cut.
fn layout(account: &str) -> anyhow::Result<Option<AccountLayout>> {
    let delimiters = AccountLayout::delimiters_in(account);
    let Some(first) = delimiters.first() else { return Ok(None) };
    prompt::explain("charge accounts", &format!("{}\n\n  {account}", words::ACCOUNTS));
    let delimiter = match &delimiters[..] {
        [_] => first.clone(),
        several => {
            let options = several.iter().map(|one| (format!("`{one}`"), one.clone()));
            prompt::pick("What stands between two segments?", options)?
        }
    };
    let segments: Vec<(String, usize)> = account
        .split(delimiter.as_str())
        .enumerate()
        .map(|(place, segment)| (format!("segment {}: {segment}", place + 1), place + 1))
        .collect();
    let cost_center_segment = prompt::pick("Which is the cost center?", segments)?;
    prompt::done("cost center", &format!("segment {cost_center_segment} between `{delimiter}`"));
    Ok(Some(AccountLayout { delimiter, cost_center_segment, ..AccountLayout::default() }))
}
