use oracle_fusion::{ErrorKind, Expand, Fusion, Invoice, PurchaseOrder, RawValue, Resource, is_truncated};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer};

use crate::support::{INVOICES, ORDERS, answer, asked, client, page, parameter, server};

const ENCODED: &str = "00020000000EACED%2F=";

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn linked(attribute: &str, id: u64, href: &str) -> String {
    format!(
        r#"{{"{attribute}":{id},"links":[{{"rel":"canonical","href":"x/y"}},{{"rel":"self","href":"{href}"}}]}}"#
    )
}

/// The collection answers a search by id with the row's own link, which names another host.
async fn record_found(server: &MockServer, at: &str, attribute: &str) {
    let row = linked(attribute, 300_100, &format!("https://internal.example:443{at}/00020000000EACED%2F%3D"));
    Mock::given(method("GET"))
        .and(path(at))
        .and(query_param("q", format!("{attribute} = 300100")))
        .and(query_param("links", "self"))
        .respond_with(page(&[&row], false))
        .mount(server)
        .await;
}

/// A child's rows in pages of two, by offset.
async fn child_in_pages(server: &MockServer, at: &str, rows: &[String]) {
    for (index, part) in rows.chunks(2).enumerate() {
        let part: Vec<&str> = part.iter().map(String::as_str).collect();
        let offset = index * 2;
        Mock::given(method("GET"))
            .and(path(at))
            .and(query_param("offset", offset.to_string()))
            .respond_with(page(&part, offset + 2 < rows.len()))
            .mount(server)
            .await;
    }
}

fn line(id: u64) -> String {
    format!(r#"{{"POLineId":{id},"Price":{id}.10,"schedules":{{"items":[],"hasMore":false}}}}"#)
}

#[tokio::test]
async fn a_whole_record_is_returned_as_it_is_without_a_request() {
    let server = server().await;
    let fusion = client(&server);
    let text = r#"{ "POHeaderId" : 1, "lines": {"items": [], "hasMore" : false} }"#;
    let whole = fusion.complete(raw(text), Resource::PurchaseOrders).await.unwrap();
    assert_eq!(whole.get(), text);
    assert_eq!(fusion.requests(), 0);
}

#[tokio::test]
async fn no_line_is_lost_and_no_number_changes() {
    let server = server().await;
    record_found(&server, ORDERS, "POHeaderId").await;
    let rows: Vec<String> = (1..=5).map(line).collect();
    child_in_pages(&server, &format!("{ORDERS}/{ENCODED}/child/lines"), &rows).await;
    let text = format!(
        r#"{{"POHeaderId":300100,"Total":1.2600E3,"lines":{{"items":[{}],"count":1,"hasMore":true,"limit":1,"offset":0}},"Ordered":0.10}}"#,
        line(1)
    );
    let fusion = client(&server);
    let whole = fusion.complete(raw(&text), Resource::PurchaseOrders).await.unwrap();
    assert!(!is_truncated(&whole));
    let expected = format!(
        r#"{{"POHeaderId":300100,"Total":1.2600E3,"lines":{{"items":[{}],"count":5,"hasMore":false}},"Ordered":0.10}}"#,
        rows.join(",")
    );
    assert_eq!(whole.get(), expected);
    assert_eq!(PurchaseOrder::parse(&whole).unwrap().lines.len(), 5);

    let asked = asked(&server).await;
    // all of them came here, although the link names another host
    assert_eq!(asked.len(), 4);
    let (of_record, of_lines) = asked.split_at(1);
    assert_eq!(parameter(&of_record[0], "onlyData"), None);
    for request in of_lines {
        assert_eq!(parameter(request, "onlyData").as_deref(), Some("true"));
        assert_eq!(parameter(request, "limit").as_deref(), Some("499"));
        // the one line that came has no schedule to show what lies below
        assert_eq!(parameter(request, "expand").as_deref(), Some("schedules.distributions"));
        assert_eq!(parameter(request, "orderBy").as_deref(), Some("POLineId:asc"));
    }
}

#[tokio::test]
async fn rows_below_rows_are_fetched_with_the_keys_that_the_server_tells() {
    let server = server().await;
    record_found(&server, ORDERS, "POHeaderId").await;
    let lines = format!("{ORDERS}/{ENCODED}/child/lines");
    let links = [linked("POLineId", 1, "https://x/l/L1"), linked("POLineId", 2, "https://x/l/L2")];
    let links: Vec<&str> = links.iter().map(String::as_str).collect();
    Mock::given(method("GET"))
        .and(path(&lines))
        .and(query_param("links", "self"))
        .respond_with(page(&links, false))
        .mount(&server)
        .await;
    let schedules = format!("{lines}/L2/child/schedules");
    let links = linked("LineLocationId", 22, "https://x/s/S22");
    Mock::given(method("GET"))
        .and(path(&schedules))
        .and(query_param("links", "self"))
        .respond_with(page(&[&links], false))
        .mount(&server)
        .await;
    let distributions: Vec<String> =
        (1..=3).map(|n| format!(r#"{{"DistributionNumber":{n},"Quantity":0.{n}0}}"#)).collect();
    child_in_pages(&server, &format!("{schedules}/S22/child/distributions"), &distributions).await;

    let cut = r#"{"items":[{"DistributionNumber":1,"Quantity":0.10}],"hasMore":true}"#;
    let text = format!(
        r#"{{"POHeaderId":"300100","lines":{{"items":[{{"POLineId":1}},{{"POLineId":2,"schedules":{{"items":[{{"LineLocationId":22,"distributions":{cut}}}],"hasMore":false}}}}],"hasMore":false}}}}"#
    );
    let whole = client(&server).complete(raw(&text), Resource::PurchaseOrders).await.unwrap();
    let order = PurchaseOrder::parse(&whole).unwrap();
    let quantities: Vec<_> = order.lines[1].schedules[0]
        .distributions
        .iter()
        .map(|d| d.quantity.as_ref().unwrap().as_str())
        .collect();
    assert_eq!(quantities, ["0.10", "0.20", "0.30"]);
    assert_eq!(order.lines[0].id.as_deref(), Some("1"));
}

#[tokio::test]
async fn invoice_lines_are_completed_even_when_none_came() {
    let server = server().await;
    record_found(&server, INVOICES, "InvoiceId").await;
    let rows: Vec<String> = (1..=3).map(|n| format!(r#"{{"LineNumber":{n},"LineAmount":{n}.00}}"#)).collect();
    child_in_pages(&server, &format!("{INVOICES}/{ENCODED}/child/invoiceLines"), &rows).await;
    let text = r#"{"InvoiceId":300100,"invoiceLines":{"items":[],"hasMore":true}}"#;
    let whole = client(&server).complete(raw(text), Resource::Invoices).await.unwrap();
    assert_eq!(Invoice::parse(&whole).unwrap().lines.len(), 3);
}

#[tokio::test]
async fn further_children_are_asked_for_again_where_nothing_shows_them() {
    let server = server().await;
    record_found(&server, ORDERS, "POHeaderId").await;
    let lines = format!("{ORDERS}/{ENCODED}/child/lines");
    child_in_pages(&server, &lines, &[line(1), line(2)]).await;
    let further = Expand::new(["lines.schedules.distributions.projectDFF", "DFF"]).unwrap();
    for text in [
        r#"{"POHeaderId":300100,"lines":{"items":[],"hasMore":true}}"#.to_owned(),
        format!(r#"{{"POHeaderId":300100,"lines":{{"items":[{}],"hasMore":true}}}}"#, line(1)),
    ] {
        let resource = Resource::PurchaseOrders;
        let whole = client(&server).complete_with(raw(&text), resource, Some(&further)).await.unwrap();
        assert_eq!(PurchaseOrder::parse(&whole).unwrap().lines.len(), 2);
        let last = asked(&server).await.pop().unwrap();
        assert_eq!(last.url.path(), lines);
        let expand = parameter(&last, "expand");
        assert_eq!(expand.as_deref(), Some("schedules.distributions.projectDFF"), "{text}");
    }
}

#[tokio::test]
async fn children_without_a_known_order_are_read_in_the_servers_own() {
    let flexfields = format!("{INVOICES}/{ENCODED}/child/invoiceDff");
    let row = |queue: u32| format!(r#"{{"ProcessingQueue":"Section {queue}"}}"#);
    let text = r#"{"InvoiceId":300100,"invoiceDff":{"items":[],"hasMore":true}}"#;
    let further = Expand::new(["invoiceDff"]).unwrap();
    for (queues, read) in [(&[1, 2, 3][..], true), (&[1, 1], true), (&[1, 2, 1], false), (&[1, 1, 2], false)]
    {
        let server = server().await;
        record_found(&server, INVOICES, "InvoiceId").await;
        let rows: Vec<String> = queues.iter().copied().map(row).collect();
        child_in_pages(&server, &flexfields, &rows).await;
        let whole = client(&server).complete_with(raw(text), Resource::Invoices, Some(&further)).await;
        let last = asked(&server).await.pop().unwrap();
        assert_eq!((parameter(&last, "orderBy"), parameter(&last, "expand")), (None, None));
        match whole {
            Ok(whole) => {
                assert!(read, "{queues:?}");
                let all =
                    format!(r#"{{"items":[{}],"count":{},"hasMore":false}}"#, rows.join(","), rows.len());
                assert_eq!(whole.get(), format!(r#"{{"InvoiceId":300100,"invoiceDff":{all}}}"#));
            }
            // rows that nothing tells apart, over several pages
            Err(error) => assert!(!read && error.kind() == ErrorKind::Incomplete, "{queues:?}: {error}"),
        }
    }
}

#[tokio::test]
async fn the_own_link_is_found_where_newer_versions_put_it() {
    let server = server().await;
    let row = r#"{"InvoiceId":"300100","@context":{"key":"K","links":[{"rel":"self","href":"https://x/invoices/K"}]}}"#;
    answer(&server, INVOICES, page(&[row], false)).await;
    child_in_pages(&server, &format!("{INVOICES}/K/child/invoiceLines"), &[r#"{"LineNumber":1}"#.to_owned()])
        .await;
    let text = r#"{"InvoiceId":"300100","invoiceLines":{"items":[],"hasMore":true}}"#;
    let whole = client(&server).complete(raw(text), Resource::Invoices).await.unwrap();
    assert_eq!(Invoice::parse(&whole).unwrap().lines.len(), 1);
}

async fn incomplete(fusion: &Fusion) {
    let text = r#"{"POHeaderId":300100,"lines":{"items":[],"hasMore":true}}"#;
    let error = fusion.complete(raw(text), Resource::PurchaseOrders).await.unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Incomplete, true), "{error}");
}

#[tokio::test]
async fn a_record_that_vanished_or_moves_is_not_passed_off_as_whole() {
    let gone = server().await;
    answer(&gone, ORDERS, page(&[], false)).await;
    incomplete(&client(&gone)).await;

    let moving = server().await;
    record_found(&moving, ORDERS, "POHeaderId").await;
    let lines = format!("{ORDERS}/{ENCODED}/child/lines");
    child_in_pages(&moving, &lines, &[line(1), line(2), line(2)]).await;
    incomplete(&client(&moving)).await;

    let endless = server().await;
    record_found(&endless, ORDERS, "POHeaderId").await;
    answer(&endless, &lines, page(&[], true)).await;
    incomplete(&client(&endless)).await;

    let unlinked = server().await;
    answer(&unlinked, ORDERS, page(&[r#"{"POHeaderId":300100}"#], false)).await;
    incomplete(&client(&unlinked)).await;
}
