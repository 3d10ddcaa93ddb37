use super::*;

pub(in crate::journal) const TOML: &str = r#"
    ledger_id = "300000001234567"
    ledger_currency = "USD"
    source = "Asana"
    category = "Project Cost"
    clearing_account = "101.00.21999.000"
    time_zone = "America/New_York"
"#;

pub(crate) fn settings() -> JournalSettings {
    toml::from_str(TOML).unwrap()
}

#[test]
fn six_settings_are_enough() {
    let settings = settings();
    assert_eq!(settings.problems(), Vec::<String>::new());
    assert_eq!(settings.closed_period, ClosedPeriod::NextOpen);
    assert_eq!(settings.reopened, Reopened::Ignore);
    assert_eq!(settings.suspense, Suspense::Off);
    assert_eq!(settings.settle(), Duration::from_hours(12));
    assert_eq!(settings.document_account, "fin$/generalLedger$/import$");
    let again: JournalSettings = serde_json::from_str(&serde_json::to_string(&settings).unwrap()).unwrap();
    assert_eq!(again, settings);
}

#[test]
fn an_unknown_setting_is_refused() {
    let error = toml::from_str::<JournalSettings>(&format!("{TOML}\nledgr = 1")).unwrap_err();
    assert!(error.message().contains("ledgr"), "{error}");
}

#[test]
fn all_problems_are_named_at_once() {
    let broken = JournalSettings {
        ledger_id: "US Ledger".to_owned(),
        source: " ".to_owned(),
        clearing_account: None,
        data_access_set: Some("1234567890123456789".to_owned()),
        segment_names: vec!["company".to_owned(), String::new(), "Company".to_owned()],
        balancing_segment: Some(0),
        time_zone: "Berlin".to_owned(),
        ledger_currency: "US Dollar".to_owned(),
        decimals: BTreeMap::from([("TWD".to_owned(), 9)]),
        job: "JournalImportLauncher".to_owned(),
        notification_code: "e-mail".to_owned(),
        settle_minutes: 5,
        follow: FollowSettings { longest_seconds: 0, ..FollowSettings::default() },
        ..settings()
    };
    let problems = broken.problems().join("\n");
    for place in [
        "ledger_id",
        "journal.source ",
        "clearing_account",
        "data_access_set",
        "segment_names[1]",
        "`Company` twice",
        "balancing_segment",
        "time_zone",
        "ledger_currency",
        "decimals.TWD",
        "journal.job",
        "notification_code",
        "settle_minutes",
        "follow.longest_seconds",
    ] {
        assert!(problems.contains(place), "{place} is not named in:\n{problems}");
    }
}

/// The page for people.
fn page() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/journals.md");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_example_on_the_page_is_complete_and_shows_the_defaults() {
    #[derive(Deserialize)]
    struct Example {
        journal: JournalSettings,
    }
    let page = page();
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let shown = toml::from_str::<Example>(example).unwrap().journal;
    assert_eq!(shown.problems(), Vec::<String>::new());
    let default = settings();
    assert_eq!(
        (shown.closed_period, shown.reopened, shown.suspense, shown.settle_minutes),
        (default.closed_period, default.reopened, default.suspense, default.settle_minutes)
    );
    assert_eq!((&shown.follow, &shown.canceled_statuses), (&default.follow, &default.canceled_statuses));
    assert_eq!(
        (&shown.document_account, &shown.job, &shown.job_options, &shown.notification_code),
        (&default.document_account, &default.job, &default.job_options, &default.notification_code)
    );
    let all = serde_json::to_value(&shown).unwrap();
    for name in all.as_object().unwrap().keys().filter(|name| *name != "follow") {
        assert!(page.contains(&format!("`{name}`")), "{name} is not explained");
    }
}

#[test]
fn the_page_names_every_code_and_what_to_do_about_oracle_s() {
    let page = page();
    let journals = |code: &&crate::code::Code| code.info().code.starts_with("MLC-51");
    for code in crate::code::Code::ALL.iter().filter(journals) {
        assert!(page.contains(&format!("[{code}](errors/{code}.md)")), "{code} is not on the page");
    }
    for known in crate::journal::import_code::KNOWN {
        let row = format!("| `{}` | {} | {} |", known.code, known.meaning, known.remedy);
        assert!(page.contains(&row), "not on the page: {row}");
    }
}
