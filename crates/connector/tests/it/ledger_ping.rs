//! Testing a connection names everything that its journals lack, and changes nothing.

use std::collections::BTreeMap;

use connector::Code;
use connector::journal::JournalSettings;
use connector::ping::{self, Check, Verdict};
use connector::purpose::Purpose;
use sandbox::asana::{FieldKind, FieldSpec};
use sandbox::oracle::Edit;
use sandbox::oracle::settings::Access;
use sandbox::{FaultRule, OracleSettings, Side};

use crate::fixture::World;

impl World {
    async fn checks(&self) -> BTreeMap<String, Check> {
        let checks = ping::ping(&self.engine, self.connection).await.unwrap();
        checks.into_iter().map(|check| (check.name.clone(), check)).collect()
    }

    /// The tests whose outcome is neither `Ok` nor what it is in a healthy world; that there are no records does
    /// not matter.
    async fn worse(&self) -> Vec<(String, Verdict, Option<&'static str>, String)> {
        let healthy = ["journal: batches", "webhooks: registrations"];
        let all = self.checks().await.into_values().filter(|check| !check.name.ends_with(": rows"));
        all.filter(|check| match check.verdict {
            Verdict::Ok => false,
            Verdict::Note => !healthy.contains(&check.name.as_str()),
            Verdict::Failed | Verdict::Skipped => true,
        })
        .map(|check| (check.name, check.verdict, check.code, check.detail))
        .collect()
    }

    async fn with_settings(change: impl FnOnce(&mut JournalSettings)) -> World {
        World::with_journals_and(|_| {}, change).await
    }

    /// Demands that one test failed with a code, and says what it needs to say.
    #[track_caller]
    fn says(worse: &[(String, Verdict, Option<&'static str>, String)], name: &str, code: Code, word: &str) {
        let [(named, verdict, found, detail)] = worse else { panic!("{worse:?}") };
        assert_eq!((named.as_str(), *verdict, *found), (name, Verdict::Failed, Some(code.info().code)));
        assert!(detail.contains(word), "{detail}");
    }
}

fn deny(settings: &mut OracleSettings, resource: &str, access: Access) {
    settings.access.insert(resource.to_owned(), access);
}

const NO_PRIVILEGE: Access = Access { privilege: false, data: true };
const NO_DATA: Access = Access { privilege: true, data: false };

#[tokio::test]
async fn a_connection_that_can_make_journals_passes_every_test() {
    let world = World::with_journals().await;
    world.ordered("US-1", &["10"]).await;
    let writes = world.asana_writes();
    let posts = || world.sandbox.calls().count(|call| call.side == Side::Oracle && call.method != "GET");
    let before = posts();
    assert_eq!(world.worse().await, []);
    let checks = world.checks().await;
    for name in [
        "journal: ledger",
        "journal: period",
        "journal: clearing account",
        "journal: source",
        "journal: category",
        "journal: data access set",
        "journal: erpintegrations",
        "webhooks",
    ] {
        assert_eq!(checks[name].verdict, Verdict::Ok, "{:?}", checks[name]);
    }
    // no batch exists yet, so nothing could be found again
    assert_eq!(checks["journal: batches"].verdict, Verdict::Note);
    assert!(checks["webhooks: registrations"].detail.contains("--public-url"));
    assert_eq!((world.asana_writes(), posts()), (writes, before));
    world.end().await;
}

#[tokio::test]
async fn a_batch_that_exists_shows_that_journals_could_be_found_again() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.way_back().await;
    let batches = world.checks().await.remove("journal: batches").unwrap();
    assert_eq!(batches.verdict, Verdict::Ok, "{}", batches.detail);
    world.end().await;
}

#[tokio::test]
async fn every_privilege_that_is_missing_has_a_line_of_its_own() {
    let world = World::with_journals().await;
    for (resource, name, privilege) in [
        ("ledgersLOV", "journal: ledger", "FUN_GET_ENTERPRISE_STRUCTURES_REST_SERVICE_PRIV"),
        ("accountingPeriodStatusLOV", "journal: period", "FUN_GET_ENTERPRISE_STRUCTURES_REST_SERVICE_PRIV"),
        (
            "accountCombinationsLOV",
            "journal: clearing account",
            "FUN_GET_ENTERPRISE_STRUCTURES_REST_SERVICE_PRIV",
        ),
        ("journalSourcesLOV", "journal: source", "journalSourcesLOV"),
        ("journalCategoriesLOV", "journal: category", "journalCategoriesLOV"),
        ("dataAccessSetLedgersLOV", "journal: data access set", "dataAccessSetLedgersLOV"),
        ("journalBatches", "journal: batches", "journalBatches"),
        ("erpintegrations", "journal: erpintegrations", "erpintegrations"),
    ] {
        world.sandbox.oracle().change_settings(|settings| deny(settings, resource, NO_PRIVILEGE));
        let worse = world.worse().await;
        World::says(&worse, name, Code::OracleForbidden, privilege);
        world.sandbox.oracle().change_settings(|settings| deny(settings, resource, Access::default()));
    }
    assert_eq!(world.worse().await, []);
    world.end().await;
}

#[tokio::test]
async fn what_is_not_visible_is_told_apart_from_what_is_forbidden() {
    let world = World::with_journals().await;
    for (resource, name) in [
        ("ledgersLOV", "journal: ledger"),
        ("accountingPeriodStatusLOV", "journal: period"),
        ("accountCombinationsLOV", "journal: clearing account"),
        ("journalSourcesLOV", "journal: source"),
        ("journalCategoriesLOV", "journal: category"),
        ("dataAccessSetLedgersLOV", "journal: data access set"),
    ] {
        world.sandbox.oracle().change_settings(|settings| deny(settings, resource, NO_DATA));
        let worse = world.worse().await;
        World::says(&worse, name, Code::OracleNotVisible, "may not see it");
        world.sandbox.oracle().change_settings(|settings| deny(settings, resource, Access::default()));
    }
    world.end().await;
}

#[tokio::test]
async fn settings_that_oracle_contradicts_fail() {
    let world = World::with_settings(|settings| {
        settings.ledger_currency = "EUR".to_owned();
    })
    .await;
    World::says(&world.worse().await, "journal: ledger", Code::JournalSettingsWrong, "EUR");
    world.end().await;

    let world = World::with_settings(|settings| settings.category = "No such".to_owned()).await;
    World::says(&world.worse().await, "journal: category", Code::OracleNotVisible, "No such");
    world.oracle(Edit::RemoveSource { source: world.sandbox.oracle().ledger_facts().source });
    let worse = world.worse().await;
    assert_eq!(worse.len(), 2, "{worse:?}");
    assert!(worse.iter().any(|(name, ..)| name == "journal: source"));
    world.end().await;
}

#[tokio::test]
async fn a_clearing_account_that_the_import_would_reject_fails() {
    let world = World::with_journals().await;
    let account = world.sandbox.oracle().ledger_facts().clearing_account;
    for (enabled, detail_posting, word) in [(Some(false), None, "EF03"), (None, Some(false), "EF02")] {
        world.oracle(Edit::ChangeAccount { account: account.clone(), enabled, detail_posting });
        let worse = world.worse().await;
        World::says(&worse, "journal: clearing account", Code::JournalAccountUnusable, word);
        let (enabled, detail_posting) = (Some(true), Some(true));
        world.oracle(Edit::ChangeAccount { account: account.clone(), enabled, detail_posting });
    }
    world.end().await;
}

#[tokio::test]
async fn a_clearing_account_of_another_ledger_s_chart_fails() {
    let world = World::with_journals().await;
    let other = world.sandbox.oracle().second_ledger_facts();
    world.end().await;
    let world = World::with_settings(move |settings| {
        settings.clearing_account_id = Some(other.clearing_account_id.to_string())
    })
    .await;
    World::says(&world.worse().await, "journal: clearing account", Code::JournalAccountUnusable, "EF04");
    world.end().await;
}

#[tokio::test]
async fn a_clearing_account_that_is_only_a_text_is_looked_up_where_the_pod_allows_it() {
    let by_text = |text: Option<String>| {
        World::with_settings(move |settings| {
            settings.clearing_account_id = None;
            settings.clearing_account = text;
        })
    };
    let world = by_text(Some("101.10.21990.000.000.000".to_owned())).await;
    let check = world.checks().await.remove("journal: clearing account").unwrap();
    assert_ne!(check.verdict, Verdict::Failed, "{}", check.detail);
    assert!(check.detail.contains("101.10.21990.000.000.000"), "{}", check.detail);
    world.end().await;
    let world = by_text(Some("101..21990".to_owned())).await;
    let worse = world.worse().await;
    World::says(&worse, "journal: clearing account", Code::JournalAccountUnusable, "segment 2 is empty");
    world.end().await;
}

#[tokio::test]
async fn a_closed_present_period_is_noted_with_the_next_that_takes_entries() {
    let world = World::with_journals().await;
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::get("America/New_York").unwrap()).date();
    let period = today.strftime("%b-%y").to_string();
    let close = |status: &str| Edit::PeriodStatus {
        period: period.clone(),
        status: status.to_owned(),
        ledger: None,
        application: None,
    };
    world.oracle(close("C"));
    let worse = world.worse().await;
    let [(name, Verdict::Note, None, detail)] = worse.as_slice() else { panic!("{worse:?}") };
    assert!(
        name == "journal: period" && detail.contains("is closed") && detail.contains("from "),
        "{detail}"
    );
    world.end().await;
}

#[tokio::test]
async fn a_cost_field_in_another_currency_needs_a_rate_type() {
    let world = World::with_settings(|settings| settings.rate_type = None).await;
    let asana = world.sandbox.asana();
    let kind = FieldKind::Currency { precision: 2, code: "EUR".to_owned() };
    let field = asana.seed_field(&world.board.workspace, &FieldSpec::new("Euro cost", kind)).unwrap();
    asana.seed_attach(&world.board.project, &field).unwrap();
    world
        .edit(|settings| {
            settings.fields.insert(Purpose::Cost, field.as_str().into());
        })
        .await
        .unwrap();
    let worse = world.worse().await;
    let name = format!("project {}: cost", world.board.project);
    World::says(&worse, &name, Code::JournalNoRateType, "EUR");
    world.end().await;
}

#[tokio::test]
async fn a_token_that_may_not_list_webhooks_fails() {
    let world = World::with_journals().await;
    let body = r#"{"errors":[{"message":"Forbidden"}]}"#.to_owned();
    let fault = sandbox::Fault::Status { status: 403, retry_after: None, body: Some(body), html: false };
    world.fault(FaultRule::new(fault).on(Side::Asana).path("webhooks"));
    World::says(&world.worse().await, "webhooks", Code::AsanaForbidden, "webhooks:read");
    world.end().await;
}
