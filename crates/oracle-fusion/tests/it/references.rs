use oracle_fusion::{Digits, ErrorKind, Limit, Lookup, PeriodStatus};
use wiremock::ResponseTemplate;

use crate::support::{answer, asked, client, page, parameter, server};

const LEDGER: &str = "300000002498206";

fn at(lookup: Lookup) -> String {
    format!("/fscmRestApi/resources/11.13.18.05/{}", lookup.name())
}

fn ledger() -> Digits {
    Digits::new(LEDGER).unwrap()
}

#[tokio::test]
async fn a_ledger_is_found_by_its_id() {
    let server = server().await;
    let rows = [
        r#"{"LedgerId":1,"Name":"Other"}"#,
        r#"{"LedgerId":300000002498206,"LedgerName":"US","CurrencyCode":"USD"}"#,
    ];
    answer(&server, &at(Lookup::Ledgers), page(&rows, false)).await;
    let found = client(&server).ledger(&ledger()).await.unwrap().unwrap();
    assert_eq!((found.name.as_deref(), found.currency.as_deref()), (Some("US"), Some("USD")));
    assert_eq!(parameter(&asked(&server).await[0], "q"), Some(format!("LedgerId = {LEDGER}")));
    assert_eq!(client(&server).ledger(&Digits::new("7").unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn a_ledger_is_found_by_its_name_in_either_spelling_without_a_filter() {
    let server = server().await;
    let rows = [
        r#"{"LedgerId":1,"Name":"US O'Neil"}"#,
        r#"{"LedgerId":2,"LedgerName":"us o'neil"}"#,
        r#"{"LedgerId":3,"Name":"EU"}"#,
    ];
    answer(&server, &at(Lookup::Ledgers), page(&rows, false)).await;
    let found = client(&server).ledgers_named("US O'Neil").await.unwrap();
    assert_eq!(found.iter().map(|ledger| ledger.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(parameter(&asked(&server).await[0], "q"), None);
}

#[tokio::test]
async fn periods_are_those_of_general_ledger_and_in_order() {
    let server = server().await;
    let row = |name: &str, application: u32, status: &str, start: &str, adjustment: &str| {
        format!(
            r#"{{"PeriodNameId":"{name}","ApplicationId":{application},"LedgerId":"{LEDGER}","ClosingStatus":"{status}",
            "StartDate":"{start}","EndDate":"2026-12-31","AdjustmentPeriodFlag":"{adjustment}"}}"#
        )
    };
    let rows = [
        row("Adj-26", 101, "O", "2026-12-01", "Y"),
        row("Dec-26", 101, "F", "2026-12-01", "N"),
        row("Jul-26", 101, "P", "2026-07-01", "N"),
        row("Jul-26", 200, "O", "2026-07-01", "N"),
    ];
    answer(&server, &at(Lookup::PeriodStatuses), page(&rows.each_ref().map(String::as_str), false)).await;
    let periods = client(&server).periods(&ledger()).await.unwrap();
    let found: Vec<_> =
        periods.iter().map(|period| (period.name.as_str(), &period.status, period.adjustment)).collect();
    assert_eq!(
        found,
        [
            ("Jul-26", &PeriodStatus::PermanentlyClosed, false),
            ("Dec-26", &PeriodStatus::FutureEnterable, false),
            ("Adj-26", &PeriodStatus::Open, true),
        ]
    );
    let q = format!("LedgerId = {LEDGER} and ApplicationId = 101");
    assert_eq!(parameter(&asked(&server).await[0], "q"), Some(q));
}

#[tokio::test]
async fn periods_that_come_twice_are_no_answer() {
    let server = server().await;
    let row = r#"{"PeriodNameId":"Jul-26","ApplicationId":101,"ClosingStatus":"O"}"#;
    answer(&server, &at(Lookup::PeriodStatuses), page(&[row, row], false)).await;
    assert_eq!(client(&server).periods(&ledger()).await.unwrap_err().kind(), ErrorKind::Incomplete);
}

#[tokio::test]
async fn an_account_is_found_by_its_finder_and_only_when_it_is_that_one() {
    let server = server().await;
    let rows = [
        r#"{"CodeCombinationId":1,"Segment1":"999"}"#,
        r#"{"CodeCombinationId":626955,"Segment2":"10","Segment1":"101","company":"101","costCenter":"10","EnabledFlag":"Y"}"#,
    ];
    answer(&server, &at(Lookup::AccountCombinations), page(&rows, false)).await;
    let fusion = client(&server);
    let id = Digits::new("626955").unwrap();
    let account = fusion.account_combination(&id, &[]).await.unwrap().unwrap();
    assert_eq!((account.segment("Segment1"), account.segment("Segment2")), (Some("101"), Some("10")));
    let named = fusion.account_combination(&id, &["costCenter", "company"]).await.unwrap().unwrap();
    assert_eq!((named.segments[0].value.as_str(), named.enabled), ("10", Some(true)));
    let query = asked(&server).await[0].url.query().unwrap().to_owned();
    assert!(query.ends_with("&finder=PrimaryKey;_CODE_COMBINATION_ID=626955"), "{query}");
    assert!(fusion.account_combination(&Digits::new("7").unwrap(), &[]).await.unwrap().is_none());
    let error = fusion.account_combination(&id, &["product"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
}

#[tokio::test]
async fn sources_and_categories_are_found_whatever_their_attributes_are_called() {
    let server = server().await;
    let rows =
        [r#"{"UserJeSourceName":"Asana","JeSourceKey":300000081590170}"#, r#"{"UserJeSourceName":"Manual"}"#];
    answer(&server, &at(Lookup::JournalSources), page(&rows, false)).await;
    answer(&server, &at(Lookup::JournalCategories), page(&[r#"{"Name":"Project Costs"}"#], false)).await;
    let fusion = client(&server);
    for name in ["Asana", "300000081590170"] {
        let found = fusion.journal_sources_named(name).await.unwrap();
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].get("UserJeSourceName"), Some("Asana"));
        assert_eq!(found[0].raw.get(), rows[0]);
    }
    assert!(fusion.journal_sources_named("Asan").await.unwrap().is_empty());
    assert_eq!(fusion.journal_categories_named("Project Costs").await.unwrap().len(), 1);
    let all = fusion.journal_sources().await.unwrap();
    assert_eq!(
        all.iter().filter_map(|row| row.get("userjesourcename")).collect::<Vec<_>>(),
        ["Asana", "Manual"]
    );
    assert!(fusion.journal_categories().await.unwrap()[0].says("Project Costs"));
    assert!(asked(&server).await.iter().all(|request| parameter(request, "q").is_none()));
}

#[tokio::test]
async fn data_access_sets_are_found_by_the_ledger() {
    let server = server().await;
    let rows = [r#"{"AccessSetId":5,"LedgerId":300000002498206}"#, r#"{"AccessSetId":6,"LedgerId":7}"#];
    answer(&server, &at(Lookup::DataAccessSetLedgers), page(&rows, false)).await;
    let found = client(&server).data_access_sets_of(&ledger()).await.unwrap();
    assert_eq!(found.iter().filter_map(|row| row.get("accesssetid")).collect::<Vec<_>>(), ["5"]);
}

#[tokio::test]
async fn an_empty_list_is_no_error_and_a_refusal_is_one() {
    let empty = server().await;
    let refusing = server().await;
    for lookup in
        [Lookup::Ledgers, Lookup::PeriodStatuses, Lookup::AccountCombinations, Lookup::JournalSources]
    {
        answer(&empty, &at(lookup), page(&[], false)).await;
        answer(&refusing, &at(lookup), ResponseTemplate::new(403)).await;
    }
    let (empty, refusing) = (client(&empty), client(&refusing));
    assert!(empty.ledgers().await.unwrap().is_empty() && empty.periods(&ledger()).await.unwrap().is_empty());
    assert!(empty.account_combination(&ledger(), &[]).await.unwrap().is_none());
    assert!(empty.journal_sources_named("x").await.unwrap().is_empty());
    assert_eq!(refusing.ledgers().await.unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(refusing.periods(&ledger()).await.unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(refusing.journal_sources_named("x").await.unwrap_err().kind(), ErrorKind::Forbidden);
}

#[tokio::test]
async fn a_lookup_can_be_described() {
    let server = server().await;
    let body = r#"{"Resources":{"journalBatches":{"attributes":[{"name":"BatchName","type":"string","queryable":true}]}}}"#;
    let described = ResponseTemplate::new(200).set_body_raw(body, "application/json");
    answer(&server, &format!("{}/describe", at(Lookup::JournalBatches)), described).await;
    assert!(client(&server).describe(Lookup::JournalBatches).await.unwrap().is_queryable("BatchName"));
}

#[tokio::test]
async fn accounts_of_a_chart_come_page_by_page_with_their_days() {
    let server = server().await;
    let rows = [
        r#"{"CodeCombinationId":1,"_CHART_OF_ACCOUNTS_ID":5237,"Segment1":"101","EnabledFlag":"Y","EndDateActive":"2026-06-30"}"#,
        r#"{"CodeCombinationId":2,"_CHART_OF_ACCOUNTS_ID":5237,"Segment1":"102","EnabledFlag":"N"}"#,
    ];
    answer(&server, &at(Lookup::AccountCombinations), page(&rows, true)).await;
    let chart = Digits::new("5237").unwrap();
    let (accounts, more) = client(&server).account_page(&chart, &[], 998, Limit::MAX).await.unwrap();
    let day = "2026-07-01".parse().unwrap();
    let valid: Vec<(&str, bool)> = accounts.iter().map(|a| (a.id.as_str(), a.is_valid(day))).collect();
    assert_eq!((valid, more), (vec![("1", false), ("2", false)], true));
    let request = &asked(&server).await[0];
    assert_eq!(parameter(request, "q").as_deref(), Some("_CHART_OF_ACCOUNTS_ID = 5237"));
    assert_eq!(parameter(request, "offset").as_deref(), Some("998"));
}

#[tokio::test]
async fn an_endless_list_of_accounts_without_rows_is_refused() {
    let server = server().await;
    answer(&server, &at(Lookup::AccountCombinations), page(&[], true)).await;
    let chart = Digits::new("5237").unwrap();
    let error = client(&server).account_page(&chart, &[], 0, Limit::MAX).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete);
}
