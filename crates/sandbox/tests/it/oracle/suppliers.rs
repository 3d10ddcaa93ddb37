//! `suppliers`, and account combinations in numbers.

use jiff::civil::date;
use sandbox::oracle::Edit;
use sandbox::oracle::settings::Access;
use serde_json::json;

use crate::pod::{Pod, column, orders};

#[tokio::test]
async fn every_supplier_that_an_order_names_is_one_with_the_same_id() {
    let pod = Pod::start(orders(50)).await;
    let order = pod.page(4, "purchaseOrders", &[]).await["items"][0].clone();
    let query = format!("SupplierId = {}", order["SupplierId"]);
    let found = pod.page(4, "suppliers", &[("q", query.as_str())]).await;
    assert_eq!(column(&found, "Supplier"), [order["Supplier"].clone()]);
    assert_eq!(column(&found, "Status"), ["ACTIVE"]);
    let key = order["SupplierId"].to_string();
    let item = pod.page(4, &format!("suppliers/{key}"), &[]).await;
    assert_eq!(item["SupplierId"], order["SupplierId"], "the path takes the id itself");
}

#[tokio::test]
async fn made_up_suppliers_are_read_in_pages_and_the_status_cannot_be_asked_for() {
    let pod = Pod::start(orders(0)).await;
    pod.sandbox.oracle().generate_reference(1_100, 1_000).unwrap();
    let mut after = 0;
    let mut seen = 0;
    loop {
        let query = format!("SupplierId > {after}");
        let page = [("q", query.as_str()), ("orderBy", "SupplierId:asc"), ("limit", "499")];
        let page = pod.page(4, "suppliers", &page).await;
        seen += page["count"].as_u64().unwrap();
        after = column(&page, "SupplierId").last().and_then(|id| id.as_i64()).unwrap();
        if page["hasMore"] == false {
            break;
        }
    }
    assert_eq!(seen, 1_100);
    pod.refused(400, 4, "suppliers", &[("q", "Status = 'ACTIVE'")]).await;
    let accounts = pod.page(4, "accountCombinationsLOV", &[("limit", "1"), ("totalResults", "true")]).await;
    assert!(accounts["totalResults"].as_u64().unwrap() >= 1_000);
}

#[tokio::test]
async fn without_the_data_nothing_comes_and_without_the_privilege_403() {
    let pod = Pod::start(orders(5)).await;
    let set = |privilege, data| {
        pod.sandbox.oracle().change_settings(|s| {
            s.access.insert("suppliers".into(), Access { privilege, data });
        });
    };
    set(true, false);
    assert_eq!(pod.page(4, "suppliers", &[]).await["items"], json!([]));
    set(false, true);
    pod.refused(403, 4, "suppliers", &[]).await;
}

#[tokio::test]
async fn a_supplier_is_renamed_and_made_inactive_and_keeps_its_id() {
    let pod = Pod::start(orders(0)).await;
    let oracle = pod.sandbox.oracle();
    oracle.generate_reference(3, 0).unwrap();
    let id = oracle.supplier_named("SUPPLIER 000001 LTD").unwrap();
    let (supplier, name) = ("SUPPLIER 000001 LTD".to_owned(), "NEW NAME LTD".to_owned());
    oracle.apply(Edit::RenameSupplier { supplier, name, touch: true }).unwrap();
    assert_eq!(oracle.supplier_named("NEW NAME LTD"), Some(id));
    oracle.apply(Edit::DeactivateSupplier { supplier: id, from: Some(date(2020, 1, 1)) }).unwrap();
    let query = format!("SupplierId = {id}");
    let found = pod.page(4, "suppliers", &[("q", query.as_str())]).await;
    assert_eq!(
        (&found["items"][0]["Status"], &found["items"][0]["InactiveDate"]),
        (&json!("INACTIVE"), &json!("2020-01-01"))
    );
    oracle.apply(Edit::RemoveSupplier { supplier: id }).unwrap();
    assert_eq!(oracle.supplier_named("NEW NAME LTD"), None);
}
