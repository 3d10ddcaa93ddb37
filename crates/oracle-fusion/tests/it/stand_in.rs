//! The client against the stand-in for Oracle, whose answers are nobody's here.

use oracle_fusion::{Config, Expand, Fusion, Invoice, PurchaseOrder, Query, RawValue, Resource};
use sandbox::{GenerateOptions, Sandbox, SandboxConfig};
use secrecy::SecretString;
use serde_json::Value;

const PROJECT: &str = "lines.schedules.distributions.projectDFF";

async fn stand_in() -> Sandbox {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let options = GenerateOptions { orders: 12, invoices: 24, ..GenerateOptions::default() };
    sandbox.oracle().generate(&options).unwrap();
    sandbox
}

fn client(sandbox: &Sandbox, version: u8) -> Fusion {
    let known = sandbox.oracle().config();
    let secret = SecretString::from(known.client_secret.clone());
    let (base, token_url) = (sandbox.oracle_url().parse().unwrap(), sandbox.token_url().parse().unwrap());
    let config = Config::new(base, token_url, known.client_id.clone(), secret, known.scope.clone());
    Fusion::new(Config { framework_version: version.try_into().unwrap(), ..config }).unwrap()
}

fn further(resource: Resource) -> Expand {
    match resource {
        Resource::Invoices => Expand::new(["invoiceInstallments", "invoiceDff"]).unwrap(),
        _ => Expand::new([PROJECT]).unwrap(),
    }
}

#[tokio::test]
async fn every_path_of_a_mapping_is_found_with_its_type() {
    let sandbox = stand_in().await;
    let fusion = client(&sandbox, 4);
    let orders = fusion.describe(Resource::PurchaseOrders).await.unwrap();
    let invoices = fusion.describe(Resource::Invoices).await.unwrap();
    for (description, path, kind) in [
        (&orders, "Buyer", "string"),
        (&orders, "Total", "number"),
        (&orders, "FrozenFlag", "boolean"),
        (&orders, "OrderDate", "date"),
        (&orders, "LastUpdateDate", "datetime"),
        (&orders, "lines.LineNumber", "integer"),
        (&orders, "lines.schedules.PromisedDeliveryDate", "date"),
        (&orders, "lines.schedules.distributions.POChargeAccount", "string"),
        (&orders, "lines.schedules.distributions.projectDFF._PROJECT_ID", "integer"),
        (&orders, "lines.schedules.distributions.projectDFF._EXPENDITURE_ITEM_DATE", "date"),
        (&invoices, "ConversionRate", "number"),
        (&invoices, "invoiceLines.LineAmount", "number"),
        (&invoices, "invoiceDff.ProcessingQueue", "string"),
        (&invoices, "invoiceDff.__FLEX_Context", "string"),
        (&invoices, "invoiceInstallments.DueDate", "date"),
        (&invoices, "invoiceInstallments.HoldFlag", "boolean"),
    ] {
        let attribute = description.find(path).unwrap();
        assert_eq!((attribute.kind.as_deref(), attribute.queryable), (Some(kind), true), "{path}");
    }
    let missing = orders.find("lines.schedules.PromissedDeliveryDate").unwrap_err();
    assert_eq!(missing.meant.as_deref(), Some("lines.schedules.PromisedDeliveryDate"));
    assert!(missing.known.contains(&"RequestedDeliveryDate".to_owned()), "{:?}", missing.known);
    let missing = invoices.find("ProcessingQueue").unwrap_err();
    assert_eq!(missing.meant.as_deref(), Some("invoiceDff.ProcessingQueue"));
}

/// A record without what only the paging of its children says.
fn data(value: &Value) -> Value {
    match value {
        Value::Object(members) => match members.get("items") {
            Some(rows) => data(rows),
            None => members.iter().map(|(name, value)| (name.clone(), data(value))).collect(),
        },
        Value::Array(rows) => rows.iter().map(data).collect(),
        other => other.clone(),
    }
}

async fn records(fusion: &Fusion, resource: Resource) -> Vec<Box<RawValue>> {
    let id = resource.id_attribute();
    let query = Query::new(resource).order_by(id, oracle_fusion::Direction::Ascending);
    fusion.page(&query.expanding(Some(&further(resource)))).await.unwrap().items
}

#[tokio::test]
async fn further_children_come_along_and_are_made_whole_at_any_depth() {
    let sandbox = stand_in().await;
    for (resource, version) in
        [(Resource::PurchaseOrders, 4), (Resource::PurchaseOrders, 9), (Resource::Invoices, 4)]
    {
        let fusion = client(&sandbox, version);
        sandbox.oracle().change_settings(|settings| settings.child_limit = None);
        let whole = records(&fusion, resource).await;
        let text: String = whole.iter().map(|record| record.get()).collect();
        let named = if resource == Resource::Invoices { "\"ProcessingQueue\":\"" } else { "\"_TASK_ID\":" };
        assert!(text.matches(named).count() > 8, "{text}");
        for cut in [0, 1] {
            sandbox.oracle().change_settings(|settings| settings.child_limit = Some(cut));
            let records = records(&fusion, resource).await;
            for (record, whole) in records.into_iter().zip(&whole) {
                let read = fusion.complete_with(record, resource, Some(&further(resource))).await.unwrap();
                let json = |raw: &RawValue| data(&serde_json::from_str(raw.get()).unwrap());
                assert_eq!(json(&read), json(whole), "{resource:?}, {cut} rows at once");
            }
        }
    }
}

#[tokio::test]
async fn typed_records_read_what_came_along() {
    let sandbox = stand_in().await;
    let fusion = client(&sandbox, 9);
    let orders = records(&fusion, Resource::PurchaseOrders).await;
    let orders: Vec<PurchaseOrder> = orders.iter().map(|raw| PurchaseOrder::parse(raw).unwrap()).collect();
    let schedules = orders.iter().flat_map(|order| &order.lines).flat_map(|line| &line.schedules);
    let coded: Vec<bool> =
        schedules.flat_map(|schedule| &schedule.distributions).map(|d| d.project_id.is_some()).collect();
    assert!(coded.contains(&true) && coded.contains(&false));
    for raw in records(&fusion, Resource::Invoices).await {
        assert!(!Invoice::parse(&raw).unwrap().lines.is_empty());
    }
}
