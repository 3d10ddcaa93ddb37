//! Reference data: ledgers, periods, charts, combinations, sources, categories, access sets.

use std::path::Path;

use sandbox::GenerateOptions;
use sandbox::oracle::edits::{Edit, NewLine, NewOrder};
use sandbox::oracle::settings::{Access, CombinationShape, FlagForm, LedgerChart, LedgerName};
use serde_json::{Value, json};

use super::{Books, CHARGE};
use crate::pod::column;

const COMBINATIONS: &str = "accountCombinationsLOV";
const PERIODS: &str = "accountingPeriodStatusLOV";

async fn items(books: &Books, version: u8, resource: &str, q: &str) -> Vec<Value> {
    let page = books.pod.page(version, resource, &[("q", q), ("limit", "499"), ("onlyData", "true")]).await;
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn ledgers_are_spelled_as_the_switches_say() {
    let books = Books::open().await;
    let id = books.facts.ledger_id;
    let one = async |q: &str| items(&books, 4, "ledgersLOV", q).await;
    let ledger = one("Name = 'US Primary Ledger'").await[0].clone();
    assert_eq!((&ledger["LedgerId"], &ledger["CurrencyCode"]), (&json!(id), &json!("USD")));
    assert_eq!(ledger["ChartOfAccountsId"], books.facts.chart_of_accounts_id);
    books.pod.refused(400, 4, "ledgersLOV", &[("q", "LedgerName = 'US Primary Ledger'")]).await;
    books.change_settings(|settings| {
        settings.ledger.ledger_name = LedgerName::LedgerName;
        settings.ledger.ledger_chart = LedgerChart::ChartOfAccountsStructureId;
    });
    let ledger = one("LedgerName = 'US Primary Ledger'").await[0].clone();
    assert_eq!(ledger["ChartOfAccountsStructureId"], books.facts.chart_of_accounts_id);
    assert!(ledger.get("Name").is_none() && ledger.get("ChartOfAccountsId").is_none());
    books.pod.refused(400, 4, "ledgersLOV", &[("q", "Name = 'US Primary Ledger'")]).await;
    assert_eq!(books.pod.page(4, &format!("ledgersLOV/{id}"), &[]).await["LedgerName"], "US Primary Ledger");
    assert_eq!(items(&books, 4, "ledgersLOV", "").await.len(), 2);
}

#[tokio::test]
async fn a_period_has_a_status_for_each_ledger_and_application() {
    let books = Books::open().await;
    let ledger = books.facts.ledger_id;
    let q = format!("LedgerId={ledger};PeriodNameId=Jul-26;ApplicationId=101");
    let period = items(&books, 1, PERIODS, &q).await;
    assert_eq!((period.len(), &period[0]["ClosingStatus"]), (1, &json!("O")));
    assert_eq!(
        (&period[0]["StartDate"], &period[0]["EndDate"]),
        (&json!("2026-07-01"), &json!("2026-07-31"))
    );
    assert_eq!(period[0]["EffectivePeriodNumber"], 20_260_007);
    let all = items(&books, 4, PERIODS, &format!("LedgerId = {ledger} and PeriodNameId = 'Jun-26'")).await;
    let applications: Vec<i64> = all.iter().map(|row| row["ApplicationId"].as_i64().unwrap()).collect();
    assert_eq!(applications.len(), 4, "{applications:?}");
    assert!(
        all.iter().any(|row| row["ClosingStatus"] == "C")
            && all.iter().any(|row| row["ClosingStatus"] == "O")
    );
    for version in [1, 4] {
        let unknown = [("q", "PeriodName='Jul-26'")];
        let answer = books.pod.refused(400, version, PERIODS, &unknown).await;
        assert!(!answer.text.contains("PeriodName"), "{}", answer.text);
    }
    let page = books.pod.page(4, PERIODS, &[("q", "PeriodNameId = 'Jul-26'")]).await;
    let href = page["items"][0]["links"][0]["href"].as_str().unwrap().to_owned();
    let key = href.rsplit('/').next().unwrap();
    assert_eq!(books.pod.page(4, &format!("{PERIODS}/{key}"), &[]).await["PeriodNameId"], "Jul-26");
}

#[tokio::test]
async fn statuses_follow_the_clock_until_someone_sets_them() {
    let books = Books::open().await;
    let status = async |name: &str| {
        let q = format!(
            "LedgerId = {} and ApplicationId = 101 and PeriodNameId = '{name}'",
            books.facts.ledger_id
        );
        items(&books, 4, PERIODS, &q).await[0]["ClosingStatus"].as_str().unwrap().to_owned()
    };
    let mut seen = Vec::new();
    for name in ["Jan-19", "Jan-22", "Jul-24", "Jul-26", "Aug-26", "Sep-26", "Dec-30"] {
        seen.push(status(name).await);
    }
    assert_eq!(seen, ["P", "C", "O", "O", "F", "N", "N"]);
    books.advance(31 * 86_400_000);
    assert_eq!((status("Aug-26").await.as_str(), status("Sep-26").await.as_str()), ("O", "F"));
    let close = |ledger| Edit::PeriodStatus {
        period: "Aug-26".to_owned(),
        status: "C".to_owned(),
        ledger,
        application: None,
    };
    books.apply(close(None));
    assert_eq!(status("Aug-26").await, "C");
    let second = books.pod.sandbox.oracle().second_ledger_facts().ledger_id;
    let q = format!("LedgerId = {second} and ApplicationId = 101 and PeriodNameId = 'Aug-26'");
    assert_eq!(items(&books, 4, PERIODS, &q).await[0]["ClosingStatus"], "O");
    for wrong in ["X", "", "OO"] {
        let edit = Edit::PeriodStatus {
            period: "Aug-26".to_owned(),
            status: wrong.to_owned(),
            ledger: None,
            application: None,
        };
        books.pod.sandbox.oracle().apply(edit).unwrap_err();
    }
    books.pod.sandbox.oracle().apply(close(Some(1))).unwrap_err();
}

#[tokio::test]
async fn the_charts_number_is_not_the_key_of_its_list() {
    let books = Books::open().await;
    let charts = items(&books, 4, "chartOfAccountsLOV", "").await;
    let own = charts
        .iter()
        .find(|chart| chart["StructureInstanceNumber"] == books.facts.chart_of_accounts_id)
        .unwrap();
    assert_ne!(own["StructureInstanceId"], own["StructureInstanceNumber"]);
    assert_eq!(own["EnabledFlag"], "Y");
    let key = own["StructureInstanceId"].as_i64().unwrap();
    assert_eq!(books.pod.page(4, &format!("chartOfAccountsLOV/{key}"), &[]).await["Code"], "US_CHART");
}

#[tokio::test]
async fn a_combination_is_found_by_key_by_finder_and_by_query() {
    let books = Books::open().await;
    let (id, chart) = (books.facts.clearing_account_id, books.facts.chart_of_accounts_id);
    let by_key = books.pod.page(4, &format!("{COMBINATIONS}/{id}"), &[]).await;
    assert_eq!(by_key["ConcatenatedSegments"], json!(books.facts.clearing_account));
    let finder = format!("PrimaryKey;_CODE_COMBINATION_ID={id}");
    let page = books.pod.page(4, COMBINATIONS, &[("finder", &finder)]).await;
    assert_eq!(
        (&page["items"][0]["Segment3"], &page["items"][0]["AccountType"]),
        (&json!("21990"), &json!("L"))
    );
    let charts = async |version, q: &str| items(&books, version, COMBINATIONS, q).await.len();
    let enabled = charts(1, &format!("_CHART_OF_ACCOUNTS_ID={chart};EnabledFlag='Y'")).await;
    assert!(enabled > 0);
    assert_eq!(charts(1, &format!("EnabledFlag=Y;_CHART_OF_ACCOUNTS_ID={chart}")).await, enabled);
    assert_eq!(charts(4, &format!("_CHART_OF_ACCOUNTS_ID = {chart} and EnabledFlag = 'Y'")).await, enabled);
    let trap = format!("EnabledFlag='Y' and _CHART_OF_ACCOUNTS_ID={chart}");
    assert_eq!(charts(1, &trap).await, 0, "no error, no rows");
    books
        .pod
        .refused(400, 4, COMBINATIONS, &[("q", &format!("EnabledFlag='Y';_CHART_OF_ACCOUNTS_ID={chart}"))])
        .await;
    let second = books.pod.sandbox.oracle().second_ledger_facts().chart_of_accounts_id;
    let other = items(&books, 1, COMBINATIONS, &format!("_CHART_OF_ACCOUNTS_ID={second}")).await;
    assert!(
        other.iter().all(|row| row["ConcatenatedSegments"].as_str().unwrap().contains('-'))
            && !other.is_empty()
    );
    books.pod.refused(404, 4, &format!("{COMBINATIONS}/1"), &[]).await;
}

#[tokio::test]
async fn combinations_may_have_the_tenants_names_and_real_booleans() {
    let books = Books::open().await;
    let path = format!("{COMBINATIONS}/{}", books.facts.clearing_account_id);
    let numbered = books.pod.page(4, &path, &[("onlyData", "true")]).await;
    assert_eq!((&numbered["EnabledFlag"], &numbered["DetailPostingAllowedFlag"]), (&json!("Y"), &json!("Y")));
    books.change_settings(|settings| {
        settings.ledger.combinations = CombinationShape::TenantNamed;
        settings.ledger.flags = FlagForm::Booleans;
    });
    let named = books.pod.page(4, &path, &[("onlyData", "true")]).await;
    assert_eq!((&named["company"], &named["costCenter"]), (&json!("101"), &json!("000")));
    assert_eq!(
        (&named["EnabledFlag"], &named["_CODE_COMBINATION_ID"]),
        (&json!(true), &numbered["CodeCombinationId"])
    );
    for absent in ["Segment1", "ConcatenatedSegments", "CodeCombinationId", "ChartOfAccountsId"] {
        assert!(named.get(absent).is_none() && numbered.get(absent).is_some(), "{absent}");
    }
    assert!(!items(&books, 1, COMBINATIONS, "EnabledFlag='Y';costCenter=110").await.is_empty());
    let second = books.pod.sandbox.oracle().second_ledger_facts();
    let european = books.pod.page(4, &format!("{COMBINATIONS}/{}", second.clearing_account_id), &[]).await;
    assert_eq!((&european["account"], &european["costCenter"]), (&json!("21990"), &json!("000")));
    assert!(european.get("lineOfBusiness").is_none());
    let described = books.pod.page(4, &format!("{COMBINATIONS}/describe"), &[]).await;
    let attributes = described["Resources"][COMBINATIONS]["attributes"].as_array().unwrap();
    let flag = attributes.iter().find(|attribute| attribute["name"] == "EnabledFlag").unwrap();
    assert_eq!(flag["type"], "boolean");
    assert_eq!(items(&books, 4, "chartOfAccountsLOV", "").await[0]["EnabledFlag"], true);
}

#[tokio::test]
async fn edits_of_an_account_show_on_its_combination() {
    let books = Books::open().await;
    let shown = async || {
        let segments = CHARGE.split('.').zip(1..).map(|(value, at)| format!("Segment{at} = '{value}'"));
        items(&books, 4, COMBINATIONS, &segments.collect::<Vec<_>>().join(" and ")).await[0].clone()
    };
    let before = shown().await;
    let id = before["CodeCombinationId"].to_string();
    books.apply(Edit::ChangeAccount {
        account: id.clone(),
        enabled: Some(false),
        detail_posting: Some(false),
    });
    books.apply(Edit::EndAccount { account: id.clone(), last_day: Some("2026-06-30".parse().unwrap()) });
    let after = shown().await;
    assert_eq!((&after["EnabledFlag"], &after["DetailPostingAllowedFlag"]), (&json!("N"), &json!("N")));
    assert_eq!(after["EndDateActive"], "2026-06-30");
    books.apply(Edit::ChangeAccount {
        account: CHARGE.to_owned(),
        enabled: Some(true),
        detail_posting: Some(true),
    });
    books.apply(Edit::EndAccount { account: CHARGE.to_owned(), last_day: None });
    assert_eq!(shown().await, before);
    let oracle = books.pod.sandbox.oracle();
    oracle.apply(Edit::CreateAccount { account: "not an account".to_owned() }).unwrap_err();
    oracle.apply(Edit::EndAccount { account: "1.2.3".to_owned(), last_day: None }).unwrap_err();
}

#[tokio::test]
async fn sources_and_categories_are_addressed_by_name_and_can_disappear() {
    let books = Books::open().await;
    let (name, key) = (books.facts.source.clone(), books.facts.source_key.clone());
    let own = items(&books, 4, "journalSourcesLOV", &format!("UserJeSourceName = '{name}'")).await;
    assert_eq!(own, [json!({"JeSourceName": key, "UserJeSourceName": name})]);
    assert_eq!(
        books.pod.page(4, &format!("journalSourcesLOV/{key}"), &[]).await["UserJeSourceName"],
        json!(name)
    );
    let category = books.pod.page(4, "journalCategoriesLOV/Purchase%20Invoices", &[]).await;
    assert_eq!(category["JeCategoryName"], "Purchase Invoices");
    let href = category["links"][0]["href"].as_str().unwrap();
    assert!(href.ends_with("/journalCategoriesLOV/Purchase%20Invoices"), "{href}");
    let own =
        items(&books, 1, "journalCategoriesLOV", &format!("UserJeCategoryName={}", books.facts.category))
            .await;
    assert_eq!(own.len(), 1);
    books.apply(Edit::RemoveSource { source: key.clone() });
    assert!(items(&books, 4, "journalSourcesLOV", &format!("UserJeSourceName = '{name}'")).await.is_empty());
    books.pod.refused(404, 4, &format!("journalSourcesLOV/{key}"), &[]).await;
    let set = items(
        &books,
        4,
        "dataAccessSetLedgersLOV",
        &format!("AccessSetId = {}", books.facts.data_access_set_id),
    )
    .await;
    assert!(set.iter().any(|row| row["LedgerId"] == books.facts.ledger_id));
}

#[tokio::test]
async fn lists_keep_to_access_paging_and_the_versions_forms_and_cannot_be_written() {
    let books = Books::open().await;
    for resource in [
        "ledgersLOV",
        PERIODS,
        COMBINATIONS,
        "chartOfAccountsLOV",
        "journalSourcesLOV",
        "journalCategoriesLOV",
        "dataAccessSetLedgersLOV",
    ] {
        let page = books.pod.page(9, resource, &[("limit", "1"), ("totalResults", "true")]).await;
        assert_eq!((&page["count"], &page["hasMore"]), (&json!(1), &json!(true)), "{resource}");
        assert!(page["totalResults"].as_i64().unwrap() > 1);
        let url = format!("{}{}/{resource}", books.pod.sandbox.oracle_url(), crate::pod::ROOT);
        let request = books.pod.http.post(url).bearer_auth(&books.pod.token).json(&json!({}));
        assert_eq!(books.pod.send(request).await.status, 400, "{resource}");
        let set = |privilege, data| {
            books.change_settings(|settings| {
                settings.access.insert(resource.to_owned(), Access { privilege, data });
            });
        };
        set(true, false);
        assert_eq!(books.pod.page(4, resource, &[]).await["items"], json!([]), "{resource}");
        set(false, true);
        books.pod.refused(403, 4, resource, &[]).await;
    }
    let ids = column(&books.pod.page(9, "journalBatches", &[]).await, "JeBatchId");
    assert_eq!(ids, [0_i64; 0]);
    let described = books.pod.get(4, &format!("{}/describe", crate::pod::ROOT), &[]).await.json();
    let resources = described["Resources"].as_object().unwrap();
    assert_eq!(resources.len(), 12);
    assert_eq!(resources["journalBatches"]["item"]["actions"][1]["method"], "DELETE");
}

/// Every charge account of every order, with its id.
fn charged(oracle: &sandbox::Oracle) -> Vec<(i64, String)> {
    let state: Value = serde_json::from_str(&oracle.state_json()).unwrap();
    let list = |value: &Value, name: &str| value[name].as_array().unwrap().clone();
    let mut accounts = Vec::new();
    for order in list(&state, "purchaseOrders") {
        for line in list(&order, "lines") {
            for schedule in list(&line, "schedules") {
                for distribution in list(&schedule, "distributions") {
                    let text = distribution["POChargeAccount"].as_str().unwrap().to_owned();
                    accounts.push((distribution["POChargeAccountId"].as_i64().unwrap(), text));
                }
            }
        }
    }
    accounts.sort();
    accounts.dedup();
    accounts
}

/// Each account is a valid combination under the id that the order shows, and so is its company's clearing account.
async fn assert_all_are_valid(books: &Books) -> usize {
    let charged = charged(books.pod.sandbox.oracle());
    let mut rows = Vec::new();
    loop {
        let offset = rows.len().to_string();
        let query = [
            ("limit", "499"),
            ("offset", &*offset),
            ("orderBy", "_CODE_COMBINATION_ID"),
            ("onlyData", "true"),
        ];
        let page = books.pod.page(4, COMBINATIONS, &query).await;
        rows.extend(page["items"].as_array().unwrap().clone());
        if page["hasMore"] == false {
            break;
        }
    }
    let by_id: std::collections::HashMap<i64, &Value> =
        rows.iter().map(|row| (row["CodeCombinationId"].as_i64().unwrap(), row)).collect();
    for (id, text) in &charged {
        let row = by_id[id];
        assert_eq!(row["ConcatenatedSegments"], json!(text));
        assert_eq!((&row["EnabledFlag"], &row["EndDateActive"]), (&json!("Y"), &Value::Null));
        let company = row["Segment1"].as_str().unwrap();
        let clearing = books.facts.clearing_account.replacen("101", company, 1);
        assert!(rows.iter().any(|row| row["ConcatenatedSegments"] == json!(clearing)), "{clearing}");
    }
    charged.len()
}

#[tokio::test]
async fn every_charge_account_of_made_up_orders_is_a_valid_combination() {
    let books = Books::open().await;
    let oracle = books.pod.sandbox.oracle();
    oracle.generate(&GenerateOptions { orders: 300, invoices: 0, ..GenerateOptions::default() }).unwrap();
    let line = NewLine { accounts: vec!["109.10.73200.777.000.000".to_owned()], ..NewLine::default() };
    let order = oracle
        .apply(Edit::CreateOrder(NewOrder { lines: vec![line.clone()], ..NewOrder::default() }))
        .unwrap()[0];
    oracle
        .apply(Edit::AddLine {
            order,
            line: NewLine { accounts: vec!["110.10.73200.778.000.000".to_owned()], ..line },
            touch: true,
        })
        .unwrap();
    let account = "111.10.73200.779.000.000".to_owned();
    oracle.apply(Edit::ChargeAccount { order, line: 1, distribution: 1, account, touch: true }).unwrap();
    assert!(assert_all_are_valid(&books).await > 60);
}

/// Real published records are not part of the repository; where they are at hand they are loaded.
#[tokio::test]
async fn every_charge_account_of_published_orders_is_a_valid_combination() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !directory.join("purchase_orders.jsonl").exists() {
        println!("SKIPPED: published records are not at {}", directory.display());
        return;
    }
    let books = Books::open().await;
    books.pod.sandbox.oracle().load(&directory).unwrap();
    assert!(assert_all_are_valid(&books).await > 400);
}
