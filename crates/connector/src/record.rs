//! What the mapping uses of an Oracle record, and the fingerprint over exactly that.

use std::collections::BTreeSet;

use oracle_fusion::{Invoice, Number, PurchaseOrder, RawValue, RecordError};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::charge_account::AccountLayout;
use crate::mapping::path::{self, Found, Path};

/// How records are read: what a connection's settings say of it.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// How a charge account is cut into segments.
    pub layout: AccountLayout,
    /// What the mapping reads besides.
    pub paths: BTreeSet<Path>,
}

/// The used part of a purchase order. Amounts are raw JSON text.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OrderFacts {
    /// `POHeaderId`.
    pub id: String,
    /// `OrderNumber`, unique only within the legal entity.
    pub number: String,
    /// Supplier name.
    pub supplier: Option<String>,
    /// `SupplierId`; no part of the fingerprint, since it never changes without the name.
    #[serde(skip)]
    pub supplier_id: Option<String>,
    /// `Status`, the display text.
    pub status: Option<String>,
    /// ISO 4217 code.
    pub currency: Option<String>,
    /// `Total`, with tax.
    pub total: Option<String>,
    /// Who asked for the goods.
    pub requester: Option<String>,
    /// `Description`.
    pub description: Option<String>,
    /// Procurement, requisitioning and bill-to business units, each once.
    pub business_units: Vec<String>,
    /// Sold-to legal entity.
    pub legal_entity: Option<String>,
    /// Cost centers of all distributions, each once, in their order.
    pub cost_centers: Vec<String>,
    /// Charge accounts of all distributions, each once, in their order.
    pub accounts: Vec<String>,
    /// `POChargeAccountId` of all distributions, each once; no part of the fingerprint.
    #[serde(skip)]
    pub account_ids: Vec<String>,
    /// Project ids or numbers of all distributions, each once.
    pub projects: Vec<String>,
    /// The lines.
    pub lines: Vec<LineFacts>,
    /// What the mapping reads besides, not of the lines.
    #[serde(skip_serializing_if = "Found::is_empty")]
    pub read: Found,
}

/// The used part of an order line.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LineFacts {
    /// `POLineId`.
    pub id: String,
    /// `LineNumber`.
    pub number: String,
    /// `Description`.
    pub description: Option<String>,
    /// `Quantity`.
    pub quantity: Option<String>,
    /// `UOM`.
    pub uom: Option<String>,
    /// `Price`.
    pub price: Option<String>,
    /// `Ordered`, without exclusive tax.
    pub ordered: Option<String>,
    /// `Total`, with tax.
    pub total: Option<String>,
    /// ISO 4217 code.
    pub currency: Option<String>,
    /// `Status`.
    pub status: Option<String>,
    /// Cost centers of the line's distributions.
    pub cost_centers: Vec<String>,
    /// Charge accounts of the line's distributions.
    pub accounts: Vec<String>,
    /// `POChargeAccountId` of the line's distributions, each once; no part of the fingerprint.
    #[serde(skip)]
    pub account_ids: Vec<String>,
    /// What the mapping reads of it besides.
    #[serde(skip_serializing_if = "Found::is_empty")]
    pub read: Found,
}

/// The used part of an invoice.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct InvoiceFacts {
    /// `InvoiceId`.
    pub id: String,
    /// `InvoiceNumber`, unique only per supplier.
    pub number: Option<String>,
    /// ISO 4217 code.
    pub currency: Option<String>,
    /// `InvoiceAmount`.
    pub amount: Option<String>,
    /// `Supplier`.
    pub supplier: Option<String>,
    /// `BusinessUnit`.
    pub business_unit: Option<String>,
    /// `LegalEntity`.
    pub legal_entity: Option<String>,
    /// `ValidationStatus`.
    pub validation: Option<String>,
    /// `PaidStatus`.
    pub paid: Option<String>,
    /// `CanceledFlag`.
    pub canceled: bool,
    /// The lines that name an order.
    pub parts: Vec<InvoicePart>,
    /// What the mapping reads of it besides.
    #[serde(skip_serializing_if = "Found::is_empty")]
    pub read: Found,
}

/// One invoice line's share in an order.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct InvoicePart {
    /// The order's number.
    pub order_number: String,
    /// The order line's number.
    pub order_line: Option<String>,
    /// The line's amount.
    pub amount: Option<String>,
}

fn text(number: &Option<Number>) -> Option<String> {
    number.as_ref().map(|n| n.as_str().to_owned())
}

fn push_once(list: &mut Vec<String>, value: Option<&str>) {
    if let Some(value) = value.filter(|v| !v.is_empty())
        && !list.iter().any(|v| v == value)
    {
        list.push(value.to_owned());
    }
}

impl OrderFacts {
    /// Reads from an order's text what the mapping uses.
    ///
    /// # Errors
    /// As of [`PurchaseOrder::parse`].
    pub fn read(raw: &RawValue, reading: &Reading) -> Result<OrderFacts, RecordError> {
        let mut facts = OrderFacts::of(PurchaseOrder::parse(raw)?, &reading.layout);
        if !reading.paths.is_empty() {
            facts.read = path::of_record(raw, &reading.paths, false);
            for (line, read) in facts.lines.iter_mut().zip(path::of_lines(raw, &reading.paths)) {
                line.read = read;
            }
        }
        Ok(facts)
    }

    /// Takes from an order what the built-in values use.
    #[must_use]
    pub fn of(order: PurchaseOrder, layout: &AccountLayout) -> OrderFacts {
        let mut facts = OrderFacts {
            number: order.order_number.unwrap_or_default(),
            status: order.status.or(order.status_code),
            currency: order.currency_code,
            total: text(&order.total),
            description: order.description,
            legal_entity: order.sold_to_legal_entity,
            supplier: order.supplier,
            supplier_id: order.supplier_id,
            requester: order.requester,
            id: order.id,
            ..OrderFacts::default()
        };
        for unit in [&order.procurement_bu, &order.requisitioning_bu, &order.bill_to_bu] {
            push_once(&mut facts.business_units, unit.as_deref());
        }
        for line in order.lines {
            let mut kept = LineFacts {
                quantity: text(&line.quantity),
                price: text(&line.price),
                ordered: text(&line.ordered),
                total: text(&line.total),
                id: line.id.unwrap_or_default(),
                number: line.line_number.map(|n| n.as_str().to_owned()).unwrap_or_default(),
                description: line.description,
                uom: line.uom,
                currency: line.currency_code,
                status: line.status.or(line.status_code),
                ..LineFacts::default()
            };
            for distribution in line.schedules.iter().flat_map(|s| &s.distributions) {
                let account = distribution.charge_account.as_deref();
                let center = account.and_then(|a| layout.cost_center(a));
                push_once(&mut kept.accounts, account);
                push_once(&mut kept.account_ids, distribution.charge_account_id.as_deref());
                push_once(&mut kept.cost_centers, center);
                push_once(&mut facts.projects, distribution.project_id.as_deref());
            }
            for account in &kept.accounts {
                push_once(&mut facts.accounts, Some(account));
            }
            for id in &kept.account_ids {
                push_once(&mut facts.account_ids, Some(id));
            }
            for center in &kept.cost_centers {
                push_once(&mut facts.cost_centers, Some(center));
            }
            facts.lines.push(kept);
        }
        facts
    }
}

impl InvoiceFacts {
    /// Reads from an invoice's text what the mapping uses.
    ///
    /// # Errors
    /// As of [`Invoice::parse`].
    pub fn read(raw: &RawValue, reading: &Reading) -> Result<InvoiceFacts, RecordError> {
        let mut facts = InvoiceFacts::of(Invoice::parse(raw)?);
        if !reading.paths.is_empty() {
            facts.read = path::of_record(raw, &reading.paths, true);
        }
        Ok(facts)
    }

    /// Takes from an invoice what the mapping uses. Lines name the order; the header's number counts
    /// only when no line names one. Lines that are canceled with their invoice still say whose it was.
    #[must_use]
    pub fn of(invoice: Invoice) -> InvoiceFacts {
        let mut parts: Vec<InvoicePart> = invoice
            .lines
            .into_iter()
            .filter(|line| invoice.canceled || (!line.discarded && !line.canceled))
            .filter_map(|line| {
                let order_number = line.purchase_order_number.filter(|n| !n.is_empty())?;
                let order_line = line.purchase_order_line_number.map(|n| n.as_str().to_owned());
                Some(InvoicePart { order_number, order_line, amount: text(&line.amount) })
            })
            .collect();
        if parts.is_empty()
            && let Some(order_number) = invoice.purchase_order_number.filter(|n| !n.is_empty())
        {
            parts.push(InvoicePart { order_number, order_line: None, amount: text(&invoice.amount) });
        }
        InvoiceFacts {
            amount: text(&invoice.amount),
            number: invoice.number,
            currency: invoice.currency,
            supplier: invoice.supplier,
            business_unit: invoice.business_unit,
            legal_entity: invoice.legal_entity,
            validation: invoice.validation_status,
            paid: invoice.paid_status,
            canceled: invoice.canceled,
            id: invoice.id,
            parts,
            read: Found::new(),
        }
    }

    /// The numbers of the orders it names, each once.
    #[must_use]
    pub fn order_numbers(&self) -> Vec<String> {
        let mut numbers = Vec::new();
        for part in &self.parts {
            push_once(&mut numbers, Some(&part.order_number));
        }
        numbers
    }
}

/// A digest over the used part of a record: equal fingerprints need no movement.
#[must_use]
pub fn fingerprint(facts: &impl Serialize) -> Vec<u8> {
    struct Into(Sha256);
    impl std::io::Write for Into {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut digest = Into(Sha256::new());
    // serialising plain structs of text into a digest has no way to fail
    let written = serde_json::to_writer(std::io::BufWriter::new(&mut digest), facts);
    debug_assert!(written.is_ok());
    digest.0.finalize()[..16].to_vec()
}
