//! A handful of changes in Oracle, as a working day brings them.

use sandbox::oracle::{Edit, NewInvoice, NewInvoiceLine};
use serde::Deserialize;

use super::scene::Scene;

#[derive(Deserialize)]
struct State {
    #[serde(rename = "purchaseOrders")]
    orders: Vec<Order>,
    invoices: Vec<Invoice>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Order {
    #[serde(rename = "POHeaderId")]
    id: i64,
    order_number: String,
    supplier: String,
    currency_code: String,
    sold_to_legal_entity: Option<String>,
    status_code: String,
    #[serde(default, rename = "lines")]
    lines: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Invoice {
    invoice_id: i64,
    invoice_number: Option<String>,
    paid_status: Option<String>,
    validation_status: Option<String>,
}

/// Applies the changes and says what they are.
pub fn apply(scene: &Scene) -> anyhow::Result<Vec<String>> {
    let state: State = serde_json::from_str(&scene.sandbox.oracle().state_json())?;
    let mut done = Vec::new();
    let mut open = state.orders.iter().filter(|o| o.status_code == "OPEN" && !o.lines.is_empty());
    // a name that fits into a table
    if let Some(order) = open.find(|o| o.supplier.len() < 30) {
        let name = format!("{} Group", order.supplier);
        edit(scene, Edit::RenameSupplier { supplier: order.supplier.clone(), name, touch: true })?;
        done.push(format!("supplier {} renamed", order.supplier));
    }
    if let Some(order) = open.next() {
        edit(scene, Edit::LineAmount { order: order.id, line: 1, amount: "1234.5".into(), touch: true })?;
        done.push(format!("a line of {} now 1234.5", order.order_number));
    }
    if let Some(order) = open.next() {
        edit(scene, Edit::OrderStatus { order: order.id, code: "CANCELED".into(), touch: true })?;
        done.push(format!("{} canceled", order.order_number));
    }
    let unpaid = state.invoices.iter().find(|i| {
        i.paid_status.as_deref() != Some("Paid") && i.validation_status.as_deref() != Some("Canceled")
    });
    if let Some(invoice) = unpaid {
        edit(
            scene,
            Edit::InvoiceStatus {
                invoice: invoice.invoice_id,
                validation: Some("Validated".into()),
                approval: None,
                paid: Some("Paid".into()),
                accounting: None,
                touch: true,
            },
        )?;
        done.push(format!("invoice {} paid", invoice.invoice_number.as_deref().unwrap_or("without number")));
    }
    if let Some(order) = open.next() {
        edit(
            scene,
            Edit::CreateInvoice(NewInvoice {
                number: Some("INV-DEMO-1".into()),
                supplier: Some(order.supplier.clone()),
                currency: Some(order.currency_code.clone()),
                legal_entity: order.sold_to_legal_entity.clone(),
                lines: vec![NewInvoiceLine {
                    amount: "10".into(),
                    order_number: Some(order.order_number.clone()),
                    order_line: Some(1),
                    ..NewInvoiceLine::default()
                }],
                ..NewInvoice::default()
            }),
        )?;
        done.push(format!("an invoice came for {}", order.order_number));
    }
    Ok(done)
}

fn edit(scene: &Scene, edit: Edit) -> anyhow::Result<()> {
    scene.sandbox.oracle().apply(edit).map(|_| ()).map_err(anyhow::Error::msg)
}
