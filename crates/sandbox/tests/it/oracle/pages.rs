//! The pages for people.

use sandbox::oracle::edits::{Edit, NewInvoice, NewInvoiceLine, NewLine, NewOrder};
use serde_json::Value;

use crate::pod::{Pod, orders};

async fn text(pod: &Pod, path: &str) -> (u16, String) {
    let answer = pod.send(pod.http.get(format!("{}{path}", pod.sandbox.oracle_url()))).await;
    (answer.status.as_u16(), answer.text)
}

#[tokio::test]
async fn the_list_can_be_paged_and_searched() {
    let pod = Pod::start(orders(120)).await;
    let (status, page) = text(&pod, "/").await;
    assert_eq!(status, 200);
    assert!(page.contains("120 orders, page 1 of 3") && page.contains("/?find=&amp;page=1"), "{page}");
    let (_, page) = text(&pod, "/?page=2").await;
    assert!(page.contains("page 3 of 3"));
    let (_, page) = text(&pod, "/?find=US160007").await;
    assert!(page.contains("1 orders, page 1 of 1"));
}

#[tokio::test]
async fn forms_change_an_order_and_its_invoice() {
    let pod = Pod::start(orders(0)).await;
    let oracle = pod.sandbox.oracle();
    let line = NewLine { amount: "5".to_owned(), description: Some("<b>&".to_owned()), ..NewLine::default() };
    let new = NewOrder { number: Some("N1".to_owned()), lines: vec![line], ..NewOrder::default() };
    let order = oracle.apply(Edit::CreateOrder(new)).unwrap()[0];
    let line = NewInvoiceLine {
        amount: "5".to_owned(),
        order_number: Some("N1".to_owned()),
        ..NewInvoiceLine::default()
    };
    let invoice = oracle
        .apply(Edit::CreateInvoice(NewInvoice { lines: vec![line], ..NewInvoice::default() }))
        .unwrap()[0];
    let post = |path: String, form: &'static [(&'static str, &'static str)]| {
        let url = format!("{}/orders/{order}{path}", pod.sandbox.oracle_url());
        pod.send(pod.http.post(url).form(form))
    };
    for (path, form) in [
        ("/lines/1".to_owned(), &[("amount", "7.50")][..]),
        ("/supplier".to_owned(), &[("name", "Renamed & Sons")][..]),
        ("/cancel".to_owned(), &[][..]),
        (format!("/invoices/{invoice}/validate"), &[][..]),
        (format!("/invoices/{invoice}/pay"), &[][..]),
    ] {
        assert_eq!(post(path, form).await.status, 200);
    }
    let page = text(&pod, &format!("/orders/{order}")).await.1;
    for shown in ["Renamed &amp; Sons", "&lt;b&gt;&amp;", "7.50", "Canceled", "Paid"] {
        assert!(page.contains(shown), "{shown}");
    }
    let state: Value = serde_json::from_str(&oracle.state_json()).unwrap();
    assert_eq!(state["invoices"][0]["ValidationStatus"], "Validated");
    assert_eq!(post("/lines/1".to_owned(), &[("amount", "a lot")]).await.status, 422);
    assert_eq!(text(&pod, "/orders/1").await.0, 404);
    assert_eq!(pod.sandbox.calls().total_of(sandbox::Side::Oracle), 0, "pages are no API calls");
}
