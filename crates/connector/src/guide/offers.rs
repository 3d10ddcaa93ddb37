//! What both sides offer to choose from, and the tests of what was answered. Nothing is written.

use std::collections::BTreeSet;

use asana::Asana;
use oracle_fusion::{Fusion, Limit, ListRow, PurchaseOrder, Query, Resource};
use secrecy::SecretString;

use crate::code::Code;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::guide::answers::Named;
use crate::guide::routes::RouteBy;
use crate::journal::JournalSettings;
use crate::limits::PATIENCE;
use crate::ping::{self, Check};
use crate::posting::ledger::digits;
use crate::record::OrderFacts;
use crate::settings::{AsanaSettings, OracleSettings};
use crate::store::connections::Connection;
use crate::trouble;

/// Orders that are looked at for a charge account.
const ORDERS: u32 = 25;
/// Orders, with their lines, that are looked at for what could route them.
const ORDERS_WITH_LINES: u32 = 100;
/// The same without lines.
const ORDERS_ALONE: u32 = 499;

/// Asana with a token that is stored nowhere yet.
#[derive(Debug)]
pub struct Guest(Asana);

impl Guest {
    /// Asana with the token of a connection that is stored.
    ///
    /// # Errors
    /// [`Code::CredentialMissing`], or that it cannot be decrypted.
    pub async fn of(engine: &Engine, connection: &Connection) -> Result<Guest> {
        Ok(Guest(engine.asana(connection).await?))
    }

    /// Signs in; whose token it is.
    ///
    /// # Errors
    /// What Asana refuses, by its code.
    pub async fn sign_in(settings: &AsanaSettings, token: SecretString) -> Result<(Guest, String)> {
        let mut config = settings.client(token);
        config.patience = PATIENCE;
        let asana = Asana::new(config).map_err(trouble::asana)?;
        let me = asana.me().await.map_err(trouble::asana)?;
        Ok((Guest(asana), format!("{} ({})", me.name, me.gid)))
    }

    /// The workspaces that the token sees.
    ///
    /// # Errors
    /// [`Code::AsanaWorkspace`] when it sees none; what Asana refuses.
    pub async fn workspaces(&self) -> Result<Vec<Named>> {
        let found = self.0.workspaces().await.map_err(trouble::asana)?;
        if found.is_empty() {
            return Err(Error::new(Code::AsanaWorkspace, "the token sees no workspace"));
        }
        Ok(found.into_iter().map(|w| Named { gid: w.gid, name: w.name }).collect())
    }

    /// The projects of a workspace that are not archived, by their names.
    ///
    /// # Errors
    /// What Asana refuses; very large organizations may be answered too late.
    pub async fn projects(&self, workspace: &str) -> Result<Vec<Named>> {
        let found = self.0.workspace_projects(workspace).await.map_err(trouble::asana)?;
        let mut all: Vec<Named> = found.into_iter().map(|p| Named { gid: p.gid, name: p.name }).collect();
        all.sort_by_cached_key(|project| (project.name.to_lowercase(), project.gid.clone()));
        Ok(all)
    }

    /// A project of the workspace whose custom fields can be read.
    ///
    /// # Errors
    /// What Asana refuses; [`Code::AsanaNotFound`] when it is in another workspace.
    pub async fn project(&self, workspace: &str, gid: &str) -> Result<Named> {
        let found = self.0.project(gid).await.map_err(trouble::asana)?;
        if found.workspace.as_deref().is_some_and(|own| own != workspace) {
            let words = format!("project {} is not in workspace {workspace}", found.name);
            return Err(Error::new(Code::AsanaNotFound, words));
        }
        self.0.custom_field_settings(gid).await.map_err(trouble::asana)?;
        Ok(Named { gid: found.gid, name: found.name })
    }
}

/// Tests the Oracle side with a secret that is stored nowhere yet: a token, and the right to read both feeds.
pub async fn test_oracle(oracle: &OracleSettings, secret: SecretString) -> Vec<Check> {
    match oracle.client(secret) {
        Ok(mut config) => {
            config.patience = PATIENCE;
            ping::oracle_alone(Fusion::new(config).map_err(trouble::oracle)).await
        }
        Err(error) => ping::oracle_alone(Err(error)).await,
    }
}

/// A ledger to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerOffer {
    /// Its id and name.
    pub named: Named,
    /// Its currency, where Oracle tells it.
    pub currency: Option<String>,
}

impl std::fmt::Display for LedgerOffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.named)?;
        self.currency.as_ref().map_or(Ok(()), |currency| write!(f, ", {currency}"))
    }
}

/// The ledgers that the user may see.
///
/// # Errors
/// [`Code::OracleNotVisible`] when there are none; what Oracle refuses.
pub async fn ledgers(engine: &Engine, connection: &Connection) -> Result<Vec<LedgerOffer>> {
    let found = engine.fusion(connection).await?.ledgers().await.map_err(trouble::oracle)?;
    if found.is_empty() {
        return Err(Error::new(Code::OracleNotVisible, "ledgersLOV shows no ledger to this user"));
    }
    let offers = found.into_iter().map(|ledger| LedgerOffer {
        named: Named { name: ledger.name.or(ledger.short_name).unwrap_or_default(), gid: ledger.id },
        currency: ledger.currency,
    });
    Ok(offers.collect())
}

/// What a row of a list may be called: the attributes' names are not documented, so a person chooses when there are
/// several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowOffer {
    /// The row for people, every value once.
    pub shown: String,
    /// What may be its name, or its id; the likeliest first.
    pub values: Vec<String>,
}

impl std::fmt::Display for RowOffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

/// The journal sources that the user may see.
///
/// # Errors
/// [`Code::OracleNotVisible`] when there are none; what Oracle refuses.
pub async fn sources(engine: &Engine, connection: &Connection) -> Result<Vec<RowOffer>> {
    let found = engine.fusion(connection).await?.journal_sources().await.map_err(trouble::oracle)?;
    by_name("journalSourcesLOV", &found)
}

/// The journal categories that the user may see.
///
/// # Errors
/// As [`sources`].
pub async fn categories(engine: &Engine, connection: &Connection) -> Result<Vec<RowOffer>> {
    let found = engine.fusion(connection).await?.journal_categories().await.map_err(trouble::oracle)?;
    by_name("journalCategoriesLOV", &found)
}

/// The data access sets that have the ledger.
///
/// # Errors
/// As [`sources`].
pub async fn access_sets(engine: &Engine, connection: &Connection, ledger: &str) -> Result<Vec<RowOffer>> {
    let fusion = engine.fusion(connection).await?;
    let found = fusion.data_access_sets_of(&digits(ledger)?).await.map_err(trouble::oracle)?;
    offered("dataAccessSetLedgersLOV", found.iter().map(|row| access_set(row, ledger)))
}

/// The charge account of an order that the user sees, if one of a few has any.
///
/// # Errors
/// What Oracle refuses; an answer that cannot be read.
pub async fn charge_account(engine: &Engine, connection: &Connection) -> Result<Option<String>> {
    let fusion = engine.fusion(connection).await?;
    let query = Query::new(Resource::PurchaseOrders).limit(Limit::clamped(ORDERS)).expanded();
    let page = fusion.page(&query).await.map_err(trouble::oracle)?;
    let orders = page.items.iter().filter_map(|raw| PurchaseOrder::parse(raw).ok());
    let lines = orders.flat_map(|order| order.lines);
    let mut distributions = lines.flat_map(|line| line.schedules).flat_map(|schedule| schedule.distributions);
    Ok(distributions.find_map(|distribution| distribution.charge_account.filter(|text| !text.is_empty())))
}

/// What could route orders, as a few hundred orders have it.
///
/// # Errors
/// [`Code::OracleNotVisible`] when none has any; what Oracle refuses.
pub async fn route_values(engine: &Engine, connection: &Connection, by: RouteBy) -> Result<BTreeSet<String>> {
    let fusion = engine.fusion(connection).await?;
    let query = Query::new(Resource::PurchaseOrders);
    let query = match by.needs_lines() {
        true => query.limit(Limit::clamped(ORDERS_WITH_LINES)).expanded(),
        false => query.limit(Limit::clamped(ORDERS_ALONE)),
    };
    let page = fusion.page(&query).await.map_err(trouble::oracle)?;
    let layout = &connection.settings.routing.account;
    let orders = page.items.iter().filter_map(|raw| PurchaseOrder::parse(raw).ok());
    let values = orders.flat_map(|order| by.values(OrderFacts::of(order, layout)));
    let found: BTreeSet<String> = values.filter(|value| !value.trim().is_empty()).collect();
    if found.is_empty() {
        let words = format!("no order that the user sees names a {}", by.what());
        return Err(Error::new(Code::OracleNotVisible, words));
    }
    Ok(found)
}

/// Tests the clearing account of a section that is stored nowhere yet.
///
/// # Errors
/// When there is no client for the connection.
pub async fn test_clearing(
    engine: &Engine,
    connection: &Connection,
    section: &JournalSettings,
) -> Result<Check> {
    Ok(ping::clearing_account(&connection.settings, engine.fusion(connection).await?, section).await)
}

fn by_name(resource: &str, rows: &[ListRow]) -> Result<Vec<RowOffer>> {
    offered(resource, rows.iter().map(named))
}

fn offered(resource: &str, rows: impl Iterator<Item = Option<RowOffer>>) -> Result<Vec<RowOffer>> {
    let mut offers: Vec<RowOffer> = rows.flatten().collect();
    offers.sort_by_cached_key(|offer| offer.shown.to_lowercase());
    offers.dedup();
    if offers.is_empty() {
        let words = format!("{resource} shows nothing to choose from to this user");
        return Err(Error::new(Code::OracleNotVisible, words));
    }
    Ok(offers)
}

/// A row by its names: texts that are more than a number or a flag.
fn named(row: &ListRow) -> Option<RowOffer> {
    let is_flag = |text: &str| matches!(text.to_lowercase().as_str(), "y" | "n" | "true" | "false");
    let is_name = |text: &str| !is_number(text) && !is_flag(text) && !text.trim().is_empty();
    // general ledger's own files call the name of a source or category USER_JE_…_NAME
    let rank = |attribute: &str| {
        let attribute = attribute.to_lowercase();
        (!attribute.contains("user"), !attribute.contains("name"))
    };
    offer(row, is_name, rank)
}

/// A row by its ids: numbers that are not the ledger's.
fn access_set(row: &ListRow, ledger: &str) -> Option<RowOffer> {
    let is_id = |text: &str| is_number(text) && text != ledger;
    let rank = |attribute: &str| {
        let attribute = attribute.to_lowercase();
        (!attribute.contains("access"), !attribute.contains("id"))
    };
    offer(row, is_id, rank)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn offer(
    row: &ListRow,
    fits: impl Fn(&str) -> bool,
    rank: impl Fn(&str) -> (bool, bool),
) -> Option<RowOffer> {
    let mut fitting: Vec<&(String, String)> = row.attributes.iter().filter(|(_, text)| fits(text)).collect();
    fitting.sort_by_key(|(attribute, _)| rank(attribute));
    let mut values: Vec<String> = Vec::new();
    for (_, value) in fitting {
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    let mut shown = values.clone();
    for (_, value) in &row.attributes {
        if !shown.contains(value) && !value.trim().is_empty() {
            shown.push(value.clone());
        }
    }
    (!values.is_empty()).then(|| RowOffer { shown: shown.join(", "), values })
}

#[cfg(test)]
mod tests {
    use oracle_fusion::RawValue;

    use super::*;

    fn row(json: &str) -> ListRow {
        ListRow::parse(&RawValue::from_string(json.to_owned()).unwrap()).unwrap()
    }

    #[test]
    fn a_row_offers_its_names_with_the_likeliest_first() {
        for (json, values, shown) in [
            (r#"{"JeSourceName":"Manual","UserJeSourceName":"Manual"}"#, vec!["Manual"], "Manual"),
            (
                r#"{"JeSourceName":"300000081590170","UserJeSourceName":"Project Costs"}"#,
                vec!["Project Costs"],
                "Project Costs, 300000081590170",
            ),
            (
                r#"{"Key":"AR","Enabled":"Y","UserName":"Receivables"}"#,
                vec!["Receivables", "AR"],
                "Receivables, AR, Y",
            ),
        ] {
            let offer = named(&row(json)).unwrap();
            assert_eq!(
                (offer.values, offer.shown.as_str()),
                (values.iter().map(|v| (*v).to_owned()).collect(), shown)
            );
        }
        assert_eq!(named(&row(r#"{"Key":"12","Enabled":true}"#)), None);
    }

    #[test]
    fn an_access_set_is_never_the_ledger_itself() {
        let offer = access_set(&row(r#"{"LedgerId":1,"AccessSetId":41,"Name":"US"}"#), "1").unwrap();
        assert_eq!((offer.values, offer.shown.as_str()), (vec!["41".to_owned()], "41, 1, US"));
        assert_eq!(access_set(&row(r#"{"LedgerId":1,"Name":"US"}"#), "1"), None);
    }

    #[test]
    fn nothing_to_choose_from_is_a_failure_with_a_code() {
        let error = by_name("journalSourcesLOV", &[row(r#"{"Key":"12"}"#)]).unwrap_err();
        assert_eq!(error.code, Code::OracleNotVisible);
        let twice = [row(r#"{"UserName":"B"}"#), row(r#"{"UserName":"a"}"#), row(r#"{"UserName":"B"}"#)];
        let shown: Vec<String> = by_name("x", &twice).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a", "B"]);
    }
}
