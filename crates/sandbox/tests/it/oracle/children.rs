//! Flexfields and instalments: children that follow from the record above them.

use std::collections::BTreeSet;

use sandbox::oracle::edits::{Edit, NewInvoice, NewInvoiceLine, NewLine, NewOrder};
use serde_json::{Value, json};

use crate::pod::{Pod, ROOT, column, orders};

const PROJECT: (&str, &str) = ("expand", "lines.schedules.distributions.projectDFF");

fn rows(child: &Value) -> &Vec<Value> {
    child.as_array().or_else(|| child["items"].as_array()).unwrap()
}

/// The projects of all distributions of a page's orders.
fn projects(page: &Value) -> Vec<Value> {
    let mut found = rows(page).clone();
    for child in ["lines", "schedules", "distributions", "projectDFF"] {
        found = found.iter().flat_map(|row| rows(&row[child]).clone()).collect();
    }
    found
}

#[tokio::test]
async fn flexfields_and_instalments_come_along_in_the_form_of_the_version() {
    let pod = Pod::start(orders(40)).await;
    let both = ("expand", "invoiceDff,invoiceInstallments");
    let page = pod.page(4, "invoices", &[both, ("limit", "40"), ("onlyData", "true")]).await;
    let flexfields: Vec<&Value> = rows(&page).iter().map(|invoice| &invoice["invoiceDff"]).collect();
    assert!(flexfields.iter().all(|child| child["count"] == 1 && child["hasMore"] == false));
    let first = rows(flexfields[0])[0].as_object().unwrap();
    assert_eq!(first.keys().collect::<Vec<_>>(), ["ProcessingQueue", "__FLEX_Context"]);
    let queues: BTreeSet<String> =
        flexfields.iter().map(|child| rows(child)[0]["ProcessingQueue"].to_string()).collect();
    assert!(queues.contains("null") && queues.contains("\"Section 1\""), "{queues:?}");
    for invoice in rows(&page) {
        let instalments = &invoice["invoiceInstallments"];
        assert_eq!(column(instalments, "InstallmentNumber")[0], 1);
        assert!(column(instalments, "DueDate")[0].as_str() > invoice["InvoiceDate"].as_str());
        assert!(invoice.get("MadeUp").is_none() && invoice.get("invoiceLines").is_none());
    }
    let arrays = pod.page(2, "invoices", &[both, ("limit", "40")]).await;
    assert!(
        arrays["items"][0]["invoiceDff"].is_array() && arrays["items"][0]["invoiceInstallments"].is_array()
    );
    let plain = pod.page(4, "invoices", &[("onlyData", "true")]).await;
    assert!(plain["items"][0].get("invoiceDff").is_none());
    let fields = ("fields", "InvoiceId;invoiceInstallments:DueDate,GrossAmount;invoiceDff:ProcessingQueue");
    let some = pod.page(4, "invoices", &[fields, ("onlyData", "true")]).await;
    let some = some["items"][0].as_object().unwrap();
    assert_eq!(some.keys().collect::<Vec<_>>(), ["InvoiceId", "invoiceDff", "invoiceInstallments"]);
    let due = rows(&some["invoiceInstallments"])[0].as_object().unwrap();
    assert_eq!(due.keys().collect::<Vec<_>>(), ["DueDate", "GrossAmount"]);
    for wrong in [("expand", "invoiceDFF"), ("fields", "invoiceDff:Queue")] {
        pod.refused(400, 4, "invoices", &[wrong]).await;
    }
}

#[tokio::test]
async fn projects_stand_below_distributions_with_ids_that_version_9_makes_strings() {
    let pod = Pod::start(orders(20)).await;
    let found = projects(&pod.page(4, "purchaseOrders", &[PROJECT, ("onlyData", "true")]).await);
    let names =
        ["_EXPENDITURE_ITEM_DATE", "_EXPENDITURE_TYPE_ID", "_ORGANIZATION_ID", "_PROJECT_ID", "_TASK_ID"];
    assert_eq!(found[0].as_object().unwrap().keys().collect::<Vec<_>>(), names);
    let coded = found.iter().filter(|row| row["_PROJECT_ID"].is_i64()).count();
    assert!(coded > 10 && coded < found.len(), "{coded} of {}", found.len());
    assert!(found.iter().all(|row| row["_PROJECT_ID"].is_i64() == row["_EXPENDITURE_ITEM_DATE"].is_string()));
    let texts = projects(&pod.page(9, "purchaseOrders", &[PROJECT, ("onlyData", "true")]).await);
    assert!(texts.iter().all(|row| row["_TASK_ID"].is_string() || row["_TASK_ID"].is_null()));
    let again = Pod::start(orders(20)).await;
    let again = projects(&again.page(4, "purchaseOrders", &[PROJECT, ("onlyData", "true")]).await);
    assert_eq!(found, again);
}

#[tokio::test]
async fn they_have_addresses_descriptions_and_filters_as_other_children_do() {
    let pod = Pod::start(orders(40)).await;
    let page = pod.page(4, "invoices", &[("expand", "invoiceDff")]).await;
    let links = page["items"][0]["links"].as_array().unwrap();
    let link = links.iter().find(|link| link["name"] == "invoiceInstallments").unwrap();
    let below = |link: &Value| {
        link["href"].as_str().unwrap().split_once(ROOT).unwrap().1.trim_start_matches('/').to_owned()
    };
    let path = below(link);
    let instalments = pod.page(4, &path, &[("orderBy", "InstallmentNumber:asc")]).await;
    assert_eq!(column(&instalments, "InstallmentNumber")[0], 1);
    let one = below(&instalments["items"][0]["links"][0]);
    assert_eq!(pod.page(4, &one, &[]).await["GrossAmount"], instalments["items"][0]["GrossAmount"]);
    let described = pod.page(4, &format!("{path}/describe"), &[]).await;
    assert_eq!(described["Resources"]["invoiceInstallments"]["attributes"][1]["type"], "date");
    let flexfield = &page["items"][0]["invoiceDff"]["items"][0];
    let own = below(&flexfield["links"][0]);
    assert_eq!(pod.page(4, &own, &[]).await["ProcessingQueue"], flexfield["ProcessingQueue"]);

    let queue = ("q", "invoiceDff.ProcessingQueue='Section 1'");
    let page = pod.page(4, "invoices", &[queue, ("expand", "invoiceDff"), ("limit", "100")]).await;
    assert!(!rows(&page).is_empty() && rows(&page).len() < 40);
    for invoice in rows(&page) {
        assert_eq!(column(&invoice["invoiceDff"], "ProcessingQueue"), ["Section 1"]);
    }
    pod.refused(400, 1, "invoices", &[queue]).await;
    pod.refused(400, 4, "invoices", &[("q", "invoiceDff.Queue='Section 1'")]).await;
}

fn set(resource: &str, id: i64, line: Option<i64>, attribute: &str, json: &str) -> Edit {
    let (resource, attribute) = (resource.to_owned(), attribute.to_owned());
    Edit::SetRaw { resource, id, line, attribute, json: Some(json.to_owned()), touch: true }
}

#[tokio::test]
async fn what_was_created_is_null_until_an_edit_sets_it() {
    let pod = Pod::start(orders(0)).await;
    let oracle = pod.sandbox.oracle();
    let accounts = vec!["101.10.1.0".to_owned(), "101.10.2.0".to_owned()];
    let line = NewLine { amount: "5".to_owned(), accounts, ..NewLine::default() };
    let order =
        oracle.apply(Edit::CreateOrder(NewOrder { lines: vec![line], ..NewOrder::default() })).unwrap()[0];
    let line = NewInvoiceLine { amount: "10.50".to_owned(), ..NewInvoiceLine::default() };
    let new = NewInvoice { lines: vec![line], ..NewInvoice::default() };
    let invoice = oracle.apply(Edit::CreateInvoice(new)).unwrap()[0];
    let seen = projects(&pod.page(4, "purchaseOrders", &[PROJECT]).await);
    assert!(seen.len() == 2 && seen.iter().all(|row| row["_PROJECT_ID"].is_null()), "{seen:?}");

    let project = "schedules.distributions[2].projectDFF._PROJECT_ID";
    oracle.apply(set("purchaseOrders", order, Some(1), project, "300100")).unwrap();
    oracle
        .apply(set("purchaseOrders", order, Some(1), "schedules.PromisedDeliveryDate", "\"2026-08-01\""))
        .unwrap();
    let page = pod.page(4, "purchaseOrders", &[PROJECT]).await;
    assert_eq!(projects(&page)[0]["_PROJECT_ID"], Value::Null);
    assert_eq!(projects(&page)[1]["_PROJECT_ID"], 300_100);
    let schedule = &page["items"][0]["lines"]["items"][0]["schedules"]["items"][0];
    assert_eq!(schedule["PromisedDeliveryDate"], "2026-08-01");

    oracle.apply(set("invoices", invoice, None, "invoiceDff.ProcessingQueue", "\"Section 7\"")).unwrap();
    oracle.apply(set("invoices", invoice, None, "invoiceInstallments.HoldFlag", "true")).unwrap();
    let all = [("q", "invoiceDff.ProcessingQueue = 'Section 7'"), ("expand", "all")];
    let page = pod.page(4, "invoices", &all).await;
    let seen = &page["items"][0];
    assert_eq!(seen["InvoiceId"], invoice);
    let instalment = &seen["invoiceInstallments"]["items"][0];
    assert_eq!((&instalment["GrossAmount"], &instalment["HoldFlag"]), (&json!(10.50), &json!(true)));
    for (attribute, wrong) in [
        ("invoiceDff.Queue", "1"),
        ("invoiceDFF.ProcessingQueue", "1"),
        ("invoiceInstallments[2].DueDate", "null"),
        ("invoiceInstallments[0].DueDate", "null"),
        ("invoiceInstallments[x].DueDate", "null"),
    ] {
        oracle.apply(set("invoices", invoice, None, attribute, wrong)).unwrap_err();
    }
}
