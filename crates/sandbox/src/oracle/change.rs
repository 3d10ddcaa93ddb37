//! Carrying out edits on the stored records.

use jiff::Timestamp;

use super::build::{self, InvoiceDraft, InvoiceLineDraft, LineDraft, OrderDraft};
use super::edits::{Edit, NewInvoice, NewLine, NewOrder};
use super::record::Record;
use super::schema::{Distribution, HEADERS, Inv, InvLine, Kind, Line, Po, Resource};
use super::table::Table;
use super::value::{Value, is_decimal};
use super::words::{INVOICE_STATUS, ORDER_STATUS, UNITS};
use super::{Data, Oracle, charge_accounts};

impl Oracle {
    /// Makes a change and returns the ids of the headers that it concerned.
    ///
    /// # Errors
    /// A sentence when a record does not exist or a value is not what it should be; nothing has
    /// changed then.
    pub fn apply(&self, edit: Edit) -> Result<Vec<i64>, String> {
        if edit == Edit::RevokeTokens {
            self.tokens().revoke_all();
            return Ok(Vec::new());
        }
        self.settle();
        let now = self.now_ms();
        let mut data = self.data_mut();
        let concerned = data.apply(edit, now)?;
        let Data { orders, suppliers, ledger, .. } = &mut *data;
        let records = concerned.iter().filter_map(|id| orders.find(*id)).map(|row| &row.record);
        super::suppliers::learn(suppliers, records.clone(), now);
        ledger.learn_accounts(charge_accounts(records));
        Ok(concerned)
    }
}

fn check_amount(text: &str) -> Result<(), String> {
    if is_decimal(text) { Ok(()) } else { Err(format!("{text:?} is not a decimal number")) }
}

fn status_named(code: &str) -> Result<(&'static str, &'static str), String> {
    let found = ORDER_STATUS.iter().find(|((known, _), _)| *known == code);
    found.map(|(status, _)| *status).ok_or_else(|| format!("unknown status code {code}"))
}

fn stamp(record: &mut Record, touch: bool, now: i64) {
    if let (true, Some(attribute)) = (touch, record.resource.last_update) {
        record.set(attribute, Value::Instant(now));
    }
}

fn line_mut(record: &mut Record, number: i64) -> Result<&mut Record, String> {
    let at = record.resource.children[0].attribute("LineNumber").unwrap_or_default();
    let mut lines = record.children_mut(0).iter_mut();
    lines
        .find(|line| line.get(at) == Some(&Value::Integer(number)))
        .ok_or_else(|| format!("no line {number}"))
}

/// Header amounts follow the lines; where a line's amount is no number they stay.
fn add_up(record: &mut Record) {
    let amounts: Option<Vec<&str>> =
        record.children(0).iter().map(|line| line.number(Line::Ordered)).collect();
    let Some(ordered) = amounts.and_then(build::sum) else { return };
    let tax = record.number(Po::TotalTax).unwrap_or("0").to_owned();
    let Some(total) = build::sum([ordered.as_str(), tax.as_str()]) else { return };
    record.set(Po::Ordered, Value::number(&ordered)).set(Po::Total, Value::number(&total));
}

impl Data {
    fn apply(&mut self, edit: Edit, now: i64) -> Result<Vec<i64>, String> {
        match edit {
            Edit::RenameSupplier { supplier, name, touch } => self.rename(&supplier, &name, touch, now),
            Edit::DeactivateSupplier { supplier, from } => {
                super::suppliers::deactivate(&mut self.suppliers, supplier, from, now)
            }
            Edit::RemoveSupplier { supplier } => self.suppliers.remove(supplier).map(|()| Vec::new()),
            Edit::LineAmount { order, line, amount, touch } => {
                check_amount(&amount)?;
                self.change_order(order, touch, now, |record| {
                    let line = line_mut(record, line)?;
                    line.set(Line::Ordered, Value::number(&amount)).set(Line::Total, Value::number(&amount));
                    line.set(Line::LastUpdateDate, Value::Instant(now));
                    add_up(record);
                    Ok(())
                })
            }
            Edit::AddLine { order, line, touch } => self.add_line(order, line, touch, now),
            Edit::ChargeAccount { order, line, distribution, account, touch } => {
                self.change_order(order, touch, now, |record| {
                    set_account(line_mut(record, line)?, distribution, &account, now)
                })
            }
            Edit::OrderStatus { order, code, touch } => {
                let (code, name) = status_named(&code)?;
                self.change_order(order, touch, now, |record| {
                    record.set(Po::StatusCode, Value::text(code)).set(Po::Status, Value::text(name));
                    for line in record.children_mut(0) {
                        line.set(Line::StatusCode, Value::text(code)).set(Line::Status, Value::text(name));
                        line.set(Line::LastUpdateDate, Value::Instant(now));
                    }
                    Ok(())
                })
            }
            Edit::CreateOrder(new) => self.create_order(new, now),
            Edit::CreateInvoice(new) => self.create_invoice(new, now),
            Edit::InvoiceStatus { invoice, validation, approval, paid, accounting, touch } => {
                self.invoices.update(invoice, |record| {
                    set_statuses(record, [validation, approval, paid, accounting]);
                    stamp(record, touch, now);
                    Ok(vec![invoice])
                })
            }
            Edit::Touch { resource, ids, at } => {
                let at = at.map_or(now, Timestamp::as_millisecond);
                let table = self.named(&resource)?;
                if let Some(missing) = ids.iter().find(|id| table.find(**id).is_none()) {
                    return Err(format!("no {resource} with the id {missing}"));
                }
                for id in &ids {
                    table.update(*id, |record| {
                        stamp(record, true, at);
                        Ok(())
                    })?;
                }
                Ok(ids)
            }
            Edit::SetRaw { resource, id, line, attribute, json, touch } => {
                self.named(&resource)?.update(id, |record| {
                    stamp(record, touch, now);
                    let target = match line {
                        Some(number) => line_mut(record, number)?,
                        None => record,
                    };
                    set_raw(target, &attribute, json.as_deref())?;
                    Ok(vec![id])
                })
            }
            Edit::Remove { resource, id } => self.named(&resource)?.remove(id).map(|()| vec![id]),
            other => self.ledger.apply(other, now),
        }
    }

    fn named(&mut self, resource: &str) -> Result<&mut Table, String> {
        match resource {
            "purchaseOrders" => Ok(&mut self.orders),
            "invoices" => Ok(&mut self.invoices),
            _ => Err(format!("unknown resource {resource}")),
        }
    }

    fn change_order(
        &mut self,
        order: i64,
        touch: bool,
        now: i64,
        change: impl FnOnce(&mut Record) -> Result<(), String>,
    ) -> Result<Vec<i64>, String> {
        self.orders.update(order, |record| {
            change(record)?;
            stamp(record, touch, now);
            Ok(vec![order])
        })
    }

    fn rename(&mut self, supplier: &str, name: &str, touch: bool, now: i64) -> Result<Vec<i64>, String> {
        let known = super::suppliers::rename(&mut self.suppliers, supplier, name, now)?;
        let mut changed = Vec::new();
        for (table, attribute) in
            [(&mut self.orders, u8::from(Po::Supplier)), (&mut self.invoices, u8::from(Inv::Supplier))]
        {
            let named =
                |record: &&Record| record.text(attribute).is_some_and(|text| text.as_ref() == supplier);
            let ids: Vec<i64> = table.records().filter(named).map(Record::id).collect();
            for id in &ids {
                table.update(*id, |record| {
                    record.set(attribute, Value::text(name));
                    stamp(record, touch, now);
                    Ok(())
                })?;
            }
            changed.extend(ids);
        }
        if changed.is_empty() && !known {
            return Err(format!("no record names the supplier {supplier}"));
        }
        Ok(changed)
    }

    fn add_line(&mut self, order: i64, line: NewLine, touch: bool, now: i64) -> Result<Vec<i64>, String> {
        let ids = &mut self.ids;
        self.orders.update(order, |record| {
            let number = record.children(0).iter().filter_map(line_number).max().unwrap_or(0) + 1;
            let facts = facts_of(record, now)?;
            let line = build::order_line(ids, order, &facts, &line_draft(line, number)?);
            record.children_mut(0).push(line);
            add_up(record);
            stamp(record, touch, now);
            Ok(vec![order])
        })
    }

    fn create_order(&mut self, new: NewOrder, now: i64) -> Result<Vec<i64>, String> {
        let updated = new.last_update.map_or(now, Timestamp::as_millisecond);
        let numbered = new.lines.into_iter().zip(1..);
        let lines: Vec<LineDraft> =
            numbered.map(|(line, number)| line_draft(line, number)).collect::<Result<_, _>>()?;
        let ordered = build::sum(lines.iter().map(|line| line.amount.as_str()))
            .ok_or("the lines' amounts cannot be added up; set the header's afterwards")?;
        let draft = OrderDraft {
            number: new.number.unwrap_or_else(|| format!("US{}", 900_000 + self.orders.len())),
            status: status_named(new.status_code.as_deref().unwrap_or("OPEN"))?,
            description: new.description,
            supplier: new.supplier.unwrap_or_else(|| "ACME CONSULTING INC".to_owned()),
            currency: new.currency.unwrap_or_else(|| "USD".to_owned()),
            business_unit: new.business_unit.unwrap_or_else(|| UNITS[0].0.to_owned()),
            legal_entity: new.legal_entity.unwrap_or_else(|| UNITS[0].1.to_owned()),
            buyer: "Furey, Clare".to_owned(),
            requester: new.requester,
            total: ordered.clone(),
            ordered,
            tax: "0".to_owned(),
            order_date: super::generate::civil(updated),
            created: updated,
            updated,
            made_up: false,
            lines,
        };
        let record = build::order(&mut self.ids, &draft);
        let id = record.id();
        self.orders.extend(vec![record]).map(|()| vec![id])
    }

    fn create_invoice(&mut self, new: NewInvoice, now: i64) -> Result<Vec<i64>, String> {
        let updated = new.last_update.map_or(now, Timestamp::as_millisecond);
        for line in &new.lines {
            check_amount(&line.amount)?;
        }
        let amount = build::sum(new.lines.iter().map(|line| line.amount.as_str()))
            .ok_or("the lines' amounts cannot be added up")?;
        let lines = new.lines.into_iter().map(|line| InvoiceLineDraft {
            amount: line.amount,
            description: line.description,
            order_number: line.order_number,
            order_line: line.order_line,
            account: None,
        });
        let draft = InvoiceDraft {
            number: new.number.unwrap_or_else(|| format!("INV-NEW/{}", 1 + self.invoices.len())),
            supplier: new.supplier.unwrap_or_else(|| "ACME CONSULTING INC".to_owned()),
            supplier_number: None,
            currency: new.currency.unwrap_or_else(|| "USD".to_owned()),
            amount,
            paid: "0".to_owned(),
            date: super::generate::civil(updated),
            business_unit: new.business_unit.unwrap_or_else(|| UNITS[0].0.to_owned()),
            legal_entity: new.legal_entity.unwrap_or_else(|| UNITS[0].1.to_owned()),
            description: None,
            status: INVOICE_STATUS[0],
            order_number: new.order_number,
            updated,
            made_up: false,
            lines: lines.collect(),
        };
        let record = build::invoice(&mut self.ids, &draft);
        let id = record.id();
        self.invoices.extend(vec![record]).map(|()| vec![id])
    }
}

fn line_number(line: &Record) -> Option<i64> {
    match line.get(Line::LineNumber) {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    }
}

fn line_draft(line: NewLine, number: i64) -> Result<LineDraft, String> {
    let amount = if line.amount.is_empty() { "0".to_owned() } else { line.amount };
    for text in [Some(&amount), line.quantity.as_ref(), line.price.as_ref()].into_iter().flatten() {
        check_amount(text)?;
    }
    let accounts = match line.accounts {
        accounts if accounts.is_empty() => vec!["101.10.60540.000.000.000".to_owned()],
        accounts => accounts,
    };
    Ok(LineDraft {
        number,
        description: line.description,
        quantity: line.quantity,
        price: line.price,
        amount,
        location: None,
        accounts,
    })
}

/// What a new line takes over from its order.
fn facts_of(record: &Record, now: i64) -> Result<OrderDraft, String> {
    let text = |attribute: Po| record.text(attribute).map(ToString::to_string);
    Ok(OrderDraft {
        number: String::new(),
        status: text(Po::StatusCode).map_or(Ok(("OPEN", "Open")), |code| status_named(&code))?,
        description: None,
        supplier: String::new(),
        currency: text(Po::CurrencyCode).unwrap_or_default(),
        business_unit: String::new(),
        legal_entity: String::new(),
        buyer: String::new(),
        requester: text(Po::RequesterDisplayName),
        ordered: String::new(),
        tax: String::new(),
        total: String::new(),
        order_date: super::generate::civil(now),
        created: now,
        updated: now,
        made_up: false,
        lines: Vec::new(),
    })
}

fn set_account(line: &mut Record, distribution: i64, account: &str, now: i64) -> Result<(), String> {
    line.set(Line::LastUpdateDate, Value::Instant(now));
    let schedule = line.children_mut(0).first_mut().ok_or("the line has no schedule")?;
    let found = schedule
        .children_mut(0)
        .iter_mut()
        .find(|record| record.get(Distribution::DistributionNumber) == Some(&Value::Integer(distribution)));
    let record = found.ok_or_else(|| format!("no distribution {distribution}"))?;
    record
        .set(Distribution::POChargeAccountId, Value::Id(build::account_id(account)))
        .set(Distribution::POChargeAccount, Value::text(account))
        .set(Distribution::LastUpdateDate, Value::Instant(now));
    Ok(())
}

fn set_statuses(record: &mut Record, statuses: [Option<String>; 4]) {
    let attributes = [Inv::ValidationStatus, Inv::ApprovalStatus, Inv::PaidStatus, Inv::AccountingStatus];
    if statuses[2].as_deref() == Some("Paid") {
        let amount = record.get(Inv::InvoiceAmount).cloned().unwrap_or(Value::Null);
        record.set(Inv::AmountPaid, amount);
    }
    if statuses[0].as_deref() == Some("Canceled") {
        record.set(Inv::CanceledFlag, Value::Flag(true));
        for line in record.children_mut(0) {
            line.set(InvLine::CanceledFlag, Value::Flag(true));
        }
    }
    for (attribute, status) in attributes.into_iter().zip(statuses) {
        if let Some(status) = status {
            record.set(attribute, Value::text(&status));
        }
    }
}

/// The row that the children before an attribute's name lead to, and that name: the first row of each child, or
/// the one whose number stands in brackets.
fn descendant<'r, 'n>(record: &'r mut Record, path: &'n str) -> Result<(&'r mut Record, &'n str), String> {
    let (mut record, mut path) = (record, path);
    while let Some((step, rest)) = path.split_once('.') {
        let (name, number) = match step.strip_suffix(']').and_then(|step| step.split_once('[')) {
            Some((name, number)) => (name, number.parse().map_err(|_| format!("{step}: no number"))?),
            None => (step, 1_usize),
        };
        let (at, _) = record.resource.child(name).ok_or_else(|| format!("unknown child {name}"))?;
        let row = number.checked_sub(1).and_then(|place| record.shown_children_mut(at).get_mut(place));
        record = row.ok_or_else(|| format!("{name} has no row {number}"))?;
        path = rest;
    }
    Ok((record, path))
}

fn set_raw(record: &mut Record, path: &str, json: Option<&str>) -> Result<(), String> {
    let (record, attribute) = descendant(record, path)?;
    let resource: &Resource = record.resource;
    let at = resource.attribute(attribute).ok_or_else(|| format!("unknown attribute {attribute}"))?;
    if at == resource.key && HEADERS.iter().any(|header| header.name == resource.name) {
        return Err("the key of a record cannot be changed".to_owned());
    }
    let Some(json) = json else {
        record.unset(at);
        return Ok(());
    };
    record.set(at, typed(resource.attributes[usize::from(at)].kind, json.trim())?);
    Ok(())
}

/// JSON of the attribute's own type is stored as such, so that filters and orders see it.
fn typed(kind: Kind, json: &str) -> Result<Value, String> {
    let parsed: serde_json::Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let whole = parsed.as_i64().filter(|whole| whole.to_string() == json);
    Ok(match (kind, &parsed, whole) {
        (_, serde_json::Value::Null, _) => Value::Null,
        (Kind::Id, _, Some(whole)) => Value::Id(whole),
        (Kind::Integer, _, Some(whole)) => Value::Integer(whole),
        (Kind::Number, serde_json::Value::Number(_), _) => Value::number(json),
        (Kind::Text, serde_json::Value::String(text), _) => Value::text(text),
        (Kind::Flag, serde_json::Value::Bool(flag), _) => Value::Flag(*flag),
        (Kind::Date, serde_json::Value::String(text), _) if text.parse::<jiff::civil::Date>().is_ok() => {
            text.parse().map_or(Value::Null, Value::Date)
        }
        (Kind::Instant, serde_json::Value::String(text), _) if text.parse::<Timestamp>().is_ok() => {
            text.parse().map_or(Value::Null, Value::instant)
        }
        _ => Value::Raw(json.into()),
    })
}
