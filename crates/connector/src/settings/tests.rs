//! Settings as people write them, and the examples of the documentation.

use url::Url;

use super::*;
use crate::settings::asana::{default_asana_url, default_requests_per_minute};
use crate::settings::oracle::{default_framework_version, default_page_size};

#[test]
fn a_broken_file_is_told_by_line_and_key_and_never_by_value() {
    let told = |text: &str| Settings::from_toml(text).unwrap_err().message;
    assert!(
        told("[oracle]\nclient_secret = \"hidden\"").starts_with("line 2, `client_secret`: unknown field")
    );
    let url = told("[oracle]\nurl = \"hid\\\"den\"");
    assert_eq!(url, "line 2, `url`: relative URL without a base: \"…\"; `asana` is missing");
    assert!(
        told("[schedule]\npoll_minutes = \"hidden\"").contains("invalid type: string \"…\", expected u32")
    );
    assert!(!told("[oracle]\nclient_id = hidden").contains("hidden"));
}

#[test]
fn what_a_client_would_refuse_is_refused_before_it_is_stored() {
    let good = Settings::from_toml(&examples("docs/settings.md")[0]).unwrap();
    let told = |change: fn(&mut Settings)| {
        let mut settings = good.clone();
        change(&mut settings);
        settings.check().err().map(|error| error.message)
    };
    let refused = |change, words: &str| {
        let told = told(change).unwrap_or_default();
        assert!(told.contains(words), "{words}: {told}");
    };
    let url = |text: &str| Url::parse(text).unwrap();
    refused(|s| s.oracle.url = "http://pod.example".parse().ok(), "base must be an https address");
    refused(|s| s.oracle.token_url.set_scheme("http").unwrap(), "token_url must be an https address");
    refused(|s| s.asana.url.set_scheme("http").unwrap(), "must start with https://");
    refused(|s| s.asana.url.set_query(Some("a=b")), "query");
    refused(|s| s.oracle.client_id.clear(), "client_id");
    refused(|s| s.oracle.scope = " ".into(), "scope");
    refused(|s| s.asana.workspace.clear(), "asana.workspace");
    refused(|s| s.asana.workspace = "Acme".into(), "asana.workspace");
    assert_eq!(told(|s| s.oracle.url = "https://pod.example/path".parse().ok()), None);
    let mut local = good.clone();
    (local.oracle.url, local.asana.url) = (Some(url("http://127.0.0.1:1")), url("http://[::1]:2/api/1.0"));
    local.check().unwrap();
    let all = told(|s| {
        s.oracle.scope.clear();
        s.asana.url.set_scheme("http").unwrap();
        s.schedule.poll_minutes = 0;
    });
    assert_eq!(all.unwrap().matches("; ").count(), 2);
}

/// The TOML examples of a page.
fn examples(page: &str) -> Vec<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim_start);
    while let Some(line) = lines.next() {
        if line == "```toml" {
            found.push(lines.by_ref().take_while(|line| *line != "```").collect::<Vec<_>>().join("\n"));
        }
    }
    found
}

#[test]
fn the_examples_in_the_documentation_are_valid_settings() {
    for page in ["README.md", "docs/settings.md"] {
        let examples = examples(page);
        assert!(!examples.is_empty(), "{page} has no example");
        for example in examples {
            Settings::from_toml(&example).unwrap_or_else(|error| panic!("{page}: {error}"));
        }
    }
}

#[test]
fn the_complete_example_names_every_purpose_and_shows_the_defaults() {
    let example = Settings::from_toml(&examples("docs/settings.md")[0]).unwrap();
    assert!(Purpose::ALL.iter().all(|purpose| example.fields.contains_key(purpose)));
    assert_eq!(example.tasks, TaskSettings::default());
    assert_eq!(example.schedule, Schedule::default());
    assert_eq!(example.routing.account, crate::charge_account::AccountLayout::default());
    assert_eq!(
        (example.oracle.framework_version, example.oracle.page_size),
        (default_framework_version(), default_page_size())
    );
    assert_eq!(
        (example.asana.requests_per_minute, example.asana.url),
        (default_requests_per_minute(), default_asana_url())
    );
    assert_eq!(example.webhooks, WebhookSettings::default());
    assert_eq!(example.reconcile, ReconcileSettings::default());
    let reference = example.reference.unwrap();
    let (options, text, mark) = (reference.options.clone(), reference.text.clone(), reference.mark.clone());
    assert!(!options.is_empty() && !text.is_empty() && mark.is_some());
    assert_eq!(reference, ReferenceSettings { options, text, mark, ..ReferenceSettings::default() });
}

#[test]
fn the_complete_example_names_every_journal_setting_and_shows_the_defaults() {
    let example = Settings::from_toml(&examples("docs/settings.md")[0]).unwrap().journal.unwrap();
    let least = JournalSettings { clearing_account: None, ..example.clone() };
    let needed = "ledger_id ledger_currency source category clearing_account_id time_zone";
    let mut table = toml::Table::try_from(&least).unwrap();
    table.retain(|key, _| needed.split(' ').any(|one| one == key));
    let defaults: JournalSettings = table.try_into().unwrap();
    // a setting that is added must be named here, and in the example
    let JournalSettings {
        ledger_id: _,
        ledger,
        ledger_currency: _,
        source: _,
        source_parameter,
        category: _,
        data_access_set,
        clearing_account_id,
        clearing_account,
        natural_account,
        balancing_segment,
        segment_names,
        time_zone: _,
        rate_type,
        decimals,
        closed_period,
        reopened,
        suspense,
        canceled_statuses,
        document_account,
        job,
        job_options,
        notification_code,
        settle_minutes,
        follow,
    } = example;
    let named = [ledger, source_parameter, data_access_set, clearing_account_id, clearing_account];
    assert!(named.iter().chain([&natural_account, &rate_type]).all(Option::is_some));
    assert!(balancing_segment.is_some() && !segment_names.is_empty() && !decimals.is_empty());
    assert_eq!(
        (closed_period, reopened, suspense, canceled_statuses, settle_minutes, follow),
        (
            defaults.closed_period,
            defaults.reopened,
            defaults.suspense,
            defaults.canceled_statuses,
            defaults.settle_minutes,
            defaults.follow
        )
    );
    assert_eq!(
        (document_account, job, job_options, notification_code),
        (defaults.document_account, defaults.job, defaults.job_options, defaults.notification_code)
    );
}
