//! How far a connection that exists has come: from what is stored to what is next. Pure.

use crate::charge_account::AccountLayout;
use crate::settings::Settings;
use crate::store::connections::State;
use crate::vault::CredentialName;

/// What is next for a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// A secret is not stored.
    Secret(CredentialName),
    /// Which segment of a charge account is the cost center.
    Accounts,
    /// Whether all orders go to one project, and which go elsewhere.
    Routes,
    /// Whether there are journals, and what they need.
    Journals,
    /// Fields in Asana.
    Fields,
    /// Both sides are tested, and a dry run is made.
    DryRun,
    /// The first activation.
    Activate,
    /// It was activated before.
    Done,
}

/// What is stored.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Its state.
    pub state: State,
    /// Its settings.
    pub settings: &'a Settings,
    /// Whether Oracle's client secret is there.
    pub client_secret: bool,
    /// Whether Asana's token is there.
    pub asana_token: bool,
    /// Whether it was answered how charge accounts are cut.
    pub accounts: bool,
    /// Whether it was answered which orders go to which project.
    pub routes: bool,
    /// What was answered to whether there are journals.
    pub journals: Option<bool>,
    /// Whether the last dry run looked at everything, with the present settings.
    pub looked: bool,
}

/// What is next.
#[must_use]
pub fn stage(facts: &Facts<'_>) -> Stage {
    let mapped = facts.settings.unmapped().is_empty();
    let journals_decided = mapped || facts.settings.journal.is_some() || facts.journals == Some(false);
    let is_set = facts.settings.routing.account != AccountLayout::default();
    let accounts_decided = journals_decided || facts.accounts || is_set;
    let routes_decided = journals_decided || facts.routes || !facts.settings.routing.rules.is_empty();
    match () {
        () if facts.state != State::Draft => Stage::Done,
        () if !facts.client_secret => Stage::Secret(CredentialName::OracleClientSecret),
        () if !facts.asana_token => Stage::Secret(CredentialName::AsanaToken),
        () if !accounts_decided => Stage::Accounts,
        () if !routes_decided => Stage::Routes,
        () if !journals_decided => Stage::Journals,
        () if !mapped => Stage::Fields,
        () if !facts.looked => Stage::DryRun,
        () => Stage::Activate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::purpose::Purpose;

    fn settings() -> Settings {
        Settings::from_toml(
            "[oracle]\nurl = \"https://a.example\"\ntoken_url = \"https://b.example/t\"\nclient_id = \"c\"\n\
             scope = \"s\"\n[asana]\nworkspace = \"1\"\n[routing.default]\nproject = \"2\"\n",
        )
        .unwrap()
    }

    fn fresh(settings: &Settings) -> Facts<'_> {
        Facts {
            state: State::Draft,
            settings,
            client_secret: false,
            asana_token: false,
            accounts: false,
            routes: false,
            journals: None,
            looked: false,
        }
    }

    fn whole(settings: &Settings) -> Facts<'_> {
        Facts { client_secret: true, asana_token: true, ..fresh(settings) }
    }

    #[test]
    fn a_draft_goes_on_where_it_was_left() {
        let mut settings = settings();
        assert_eq!(stage(&fresh(&settings)), Stage::Secret(CredentialName::OracleClientSecret));
        let half = Facts { client_secret: true, ..fresh(&settings) };
        assert_eq!(stage(&half), Stage::Secret(CredentialName::AsanaToken));
        assert_eq!(stage(&whole(&settings)), Stage::Accounts);
        let mut dashes = settings.clone();
        dashes.routing.account.delimiter = "-".to_owned();
        assert_eq!(stage(&whole(&dashes)), Stage::Routes, "a file says it");
        assert_eq!(stage(&Facts { accounts: true, ..whole(&settings) }), Stage::Routes);
        let rule = crate::routing::Rule { project: "3".to_owned(), ..crate::routing::Rule::default() };
        dashes.routing.rules.push(rule);
        assert_eq!(stage(&whole(&dashes)), Stage::Journals, "a file has rules");
        assert_eq!(stage(&Facts { accounts: true, routes: true, ..whole(&settings) }), Stage::Journals);
        let wanted = Facts { accounts: true, routes: true, journals: Some(true), ..whole(&settings) };
        assert_eq!(stage(&wanted), Stage::Journals, "begun, and not answered whole");
        let declined = Facts { journals: Some(false), ..whole(&settings) };
        assert_eq!(stage(&declined), Stage::Fields);
        for (gid, purpose) in Purpose::REQUIRED.iter().enumerate() {
            assert_eq!(stage(&Facts { journals: Some(false), ..whole(&settings) }), Stage::Fields);
            settings.fields.insert(*purpose, (gid + 1).to_string().as_str().into());
        }
        assert_eq!(stage(&whole(&settings)), Stage::DryRun, "mapped fields come after the journals");
        assert_eq!(stage(&Facts { looked: true, ..whole(&settings) }), Stage::Activate);
        for state in [State::Active, State::Paused] {
            assert_eq!(stage(&Facts { state, ..fresh(&settings) }), Stage::Done);
        }
    }
}
