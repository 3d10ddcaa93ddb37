//! What the work goes on with: documents, tasks, completions, journals, suppliers. Only names go, so that amounts, ids and
//! accounts stay to the letter.

use super::{PAGE, Pass};
use crate::erase::needle::Needle;
use crate::erase::redact::{Besides, redact};
use crate::erase::supplier::{Supplier, supplier_of};
use crate::erase::{Counted, MARK};
use crate::error::Result;
use crate::feed::Feed;
use crate::ids::ConnectionId;

/// Whether completions are at their end: a held one is decided anew, with all that it tells.
pub async fn completions(pass: &Pass<'_>) -> Result<Counted> {
    let (mut counted, mut after) = (Counted::of("completions"), (String::new(), 0));
    loop {
        let page = sqlx::query!(
            "with page as (
                 select * from completions
                 where connection_id = $1 and (task_gid, ordinal) > ($2, $3) order by task_gid, ordinal limit $4),
             hit as (
                 select task_gid, ordinal, state <> 'held' as ended from page
                 where (order_id = any($7) and task_name <> $8) or says(task_name, $5, $6)
                    or says(completed_by, $5, $6) or says(reason, $5, $6)),
             done as (
                 update completions c
                 set task_name = case when c.order_id = any($7) or says(c.task_name, $5, $6) then $8
                                      else c.task_name end,
                     completed_by = case when says(c.completed_by, $5, $6) then $9 else c.completed_by end,
                     reason = case when says(c.reason, $5, $6) then $8 else c.reason end
                 from hit h where $10 and h.ended and c.connection_id = $1 and c.task_gid = h.task_gid
                   and c.ordinal = h.ordinal and c.state <> 'held')
             select (select task_gid from page order by task_gid desc, ordinal desc limit 1) as task,
                    (select ordinal from page order by task_gid desc, ordinal desc limit 1) as ordinal,
                    (select count(*) from page) as \"looked!\", (select count(*) from hit where ended) as \"erased!\",
                    (select count(*) from hit where not ended) as \"open!\"",
            pass.connection.0,
            after.0,
            after.1,
            PAGE,
            &pass.needle.plain,
            pass.needle.pattern,
            pass.orders,
            MARK,
            pass.who,
            pass.really,
        )
        .fetch_one(pass.db)
        .await?;
        let more = pass.add(&mut counted, page.looked, page.erased, page.open);
        match (page.task, page.ordinal) {
            (Some(task), Some(ordinal)) if more => after = (task, ordinal),
            _ => return Ok(counted),
        }
    }
}

/// Journals that are settled: names in their plans and machines, and the reason where it says one. Amounts, accounts,
/// dates and groups stay, so that a reversal takes back exactly what was posted.
pub async fn journals(pass: &Pass<'_>) -> Result<Counted> {
    let (mut counted, mut after) = (Counted::of("journals"), uuid::Uuid::nil());
    loop {
        let rows = sqlx::query!(
            "select journal_id, plan, machine, reason, says(reason, $4, $5) as \"in_reason!\",
                    state in ('ready', 'submitting', 'submitted', 'in_doubt') as \"open!\"
             from journals where connection_id = $1 and journal_id > $2 order by journal_id limit $3",
            pass.connection.0,
            after,
            PAGE,
            &pass.needle.plain,
            pass.needle.pattern,
        )
        .fetch_all(pass.db)
        .await?;
        let (mut erased, mut open) = (0, 0);
        for row in &rows {
            after = row.journal_id;
            let of_order = pass.orders.iter().any(|order| is_of_order(&row.plan, order));
            let besides = if of_order { Besides::TaskName } else { Besides::Nothing };
            let plan = redact(&row.plan, pass.needle, besides);
            let machine = redact(&row.machine, pass.needle, Besides::Nothing);
            if plan.is_none() && machine.is_none() && !row.in_reason {
                continue;
            }
            if row.open {
                open += 1;
                continue;
            }
            erased += 1;
            if pass.really {
                let reason = if row.in_reason { Some(MARK) } else { row.reason.as_deref() };
                write_journal(
                    pass,
                    row.journal_id,
                    (&row.plan, plan.as_deref().unwrap_or(&row.plan)),
                    (&row.machine, machine.as_deref().unwrap_or(&row.machine)),
                    reason,
                )
                .await?;
            }
        }
        if !pass.add(&mut counted, i64::try_from(rows.len()).unwrap_or(i64::MAX), erased, open) {
            return Ok(counted);
        }
    }
}

/// Only what is still as it was read is written.
async fn write_journal(
    pass: &Pass<'_>,
    journal: uuid::Uuid,
    plan: (&str, &str),
    machine: (&str, &str),
    reason: Option<&str>,
) -> Result<()> {
    sqlx::query!(
        "update journals set plan = $4, machine = $6, reason = $7
         where connection_id = $1 and journal_id = $2 and plan = $3 and machine = $5
           and state not in ('ready', 'submitting', 'submitted', 'in_doubt')",
        pass.connection.0,
        journal,
        plan.0,
        plan.1,
        machine.0,
        machine.1,
        reason,
    )
    .execute(pass.db)
    .await?;
    Ok(())
}

fn is_of_order(plan: &str, order: &str) -> bool {
    plan.contains(&format!("\"order_id\":\"{order}\""))
}

/// Suppliers that Oracle's list does not show any more. The others stay as long as it does: what may stand on a task is
/// checked against them.
pub async fn suppliers(pass: &Pass<'_>) -> Result<Counted> {
    let told = sqlx::query!(
        "with hit as (
             select supplier_id, gone_at is not null as gone from suppliers
             where connection_id = $1
               and (supplier_id = any($5) or says('\"Supplier\":\"' || name || '\",', $2, $3))),
         done as (
             delete from suppliers s using hit h
             where $4 and h.gone and s.connection_id = $1 and s.supplier_id = h.supplier_id and s.gone_at is not null)
         select (select count(*) from hit where gone) as \"erased!\",
                (select count(*) from hit where not gone) as \"kept!\"",
        pass.connection.0,
        &pass.needle.plain,
        pass.needle.pattern,
        pass.really,
        &pass.needle.supplier_ids(),
    )
    .fetch_one(pass.db)
    .await?;
    let mut counted = Counted::of("suppliers");
    pass.add(&mut counted, 0, told.erased, 0);
    counted.kept = told.kept.unsigned_abs();
    Ok(counted)
}

/// What people chose on tasks and may not be used.
pub async fn choices(pass: &Pass<'_>) -> Result<Counted> {
    let erased = sqlx::query_scalar!(
        "with hit as (
             select task_gid, kind, place from invalid_choices where connection_id = $1 and says(value, $2, $3)),
         done as (
             update invalid_choices c set value = $4 from hit h
             where $5 and c.connection_id = $1 and c.task_gid = h.task_gid and c.kind = h.kind and c.place = h.place)
         select count(*) as \"erased!\" from hit",
        pass.connection.0,
        &pass.needle.plain,
        pass.needle.pattern,
        MARK,
        pass.really,
    )
    .fetch_one(pass.db)
    .await?;
    let mut counted = Counted::of("invalid_choices");
    pass.add(&mut counted, 0, erased, 0);
    Ok(counted)
}

/// What Asana last showed of tasks.
pub async fn tasks(pass: &Pass<'_>) -> Result<Counted> {
    let (mut counted, mut after) = (Counted::of("tasks"), String::new());
    loop {
        let rows = sqlx::query!(
            "select task_gid, field_values from tasks
             where connection_id = $1 and task_gid > $2 order by task_gid limit $3",
            pass.connection.0,
            after,
            PAGE,
        )
        .fetch_all(pass.db)
        .await?;
        let (mut gids, mut old, mut new) = (Vec::new(), Vec::new(), Vec::new());
        for row in &rows {
            if let Some(redacted) = redact(&row.field_values, pass.needle, Besides::Nothing) {
                gids.push(row.task_gid.as_str());
                old.push(row.field_values.as_str());
                new.push(redacted);
            }
        }
        if pass.really && !gids.is_empty() {
            sqlx::query!(
                "update tasks t set field_values = n.now
                 from unnest($2::text[], $3::text[], $4::text[]) as n(task_gid, was, now)
                 where t.connection_id = $1 and t.task_gid = n.task_gid and t.field_values = n.was",
                pass.connection.0,
                &gids as _,
                &old as _,
                &new,
            )
            .execute(pass.db)
            .await?;
        }
        let erased = i64::try_from(gids.len()).unwrap_or(i64::MAX);
        let more = pass.add(&mut counted, i64::try_from(rows.len()).unwrap_or(i64::MAX), erased, 0);
        match rows.last() {
            Some(last) if more => after.clone_from(&last.task_gid),
            _ => return Ok(counted),
        }
    }
}

/// A document that fits.
#[derive(Debug)]
struct Fitting {
    feed: String,
    source_id: String,
    digest: Vec<u8>,
    body: String,
    is_open: bool,
}

/// The next documents after this one that fit, with the last that was looked at and how many these were.
async fn fitting(
    pass: &Pass<'_>,
    after: &(String, String),
) -> Result<(Vec<Fitting>, Option<(String, String)>, i64)> {
    let rows = sqlx::query!(
        "with page as materialized (
             select feed, source_id, digest, body from documents
             where connection_id = $1 and (feed, source_id) > ($2, $3) order by feed, source_id limit $4),
         edge as (
             select feed, source_id from page order by feed desc, source_id desc limit 1)
         select e.feed as last_feed, e.source_id as last_id, (select count(*) from page) as \"looked!\",
                p.feed as \"feed?\", p.source_id as \"source_id?\", p.digest as \"digest?\", p.body as \"body?\",
                exists (select from movements m
                        where m.connection_id = $1 and m.source_id = p.source_id and m.feed = p.feed
                          and m.state not in ('delivered', 'failed')) as \"is_open!\"
         from edge e left join page p on says(p.body, $5, $6)",
        pass.connection.0,
        after.0,
        after.1,
        PAGE,
        &pass.needle.plain,
        pass.needle.pattern,
    )
    .fetch_all(pass.db)
    .await?;
    let Some(first) = rows.first() else { return Ok((Vec::new(), None, 0)) };
    let (last, looked) = ((first.last_feed.clone(), first.last_id.clone()), first.looked);
    let found = rows.into_iter().filter_map(|r| {
        let (feed, source_id, digest, body) = (r.feed?, r.source_id?, r.digest?, r.body?);
        Some(Fitting { feed, source_id, digest, body, is_open: r.is_open })
    });
    Ok((found.collect(), Some(last), looked))
}

/// The newest records. Fingerprint and digest stay: a record that is as it was when Oracle shows it again is left as it is,
/// and one that has changed is stored anew.
pub async fn documents(pass: &Pass<'_>) -> Result<Counted> {
    let (mut counted, mut after) = (Counted::of("documents"), (String::new(), String::new()));
    loop {
        let (found, last, looked) = fitting(pass, &after).await?;
        let (mut erased, mut open) = (0, 0);
        for document in &found {
            let is_suppliers_own = pass.needle.is_of(&supplier_of(&document.body));
            let besides = if is_suppliers_own { Besides::Suppliers } else { Besides::Nothing };
            let Some(body) = redact(&document.body, pass.needle, besides) else { continue };
            if document.is_open {
                open += 1;
                continue;
            }
            erased += 1;
            if pass.really {
                write_document(pass, document, &body, besides == Besides::Suppliers).await?;
            }
        }
        let more = pass.add(&mut counted, looked, erased, open);
        match last {
            Some(last) if more => after = last,
            _ => return Ok(counted),
        }
    }
}

/// Only while nothing of the record is under way and it was not stored anew. Its words are taken up anew.
async fn write_document(
    pass: &Pass<'_>,
    document: &Fitting,
    body: &str,
    is_suppliers_own: bool,
) -> Result<()> {
    sqlx::query!(
        "with done as (
             update documents d set body = $5,
                    supplier = case when d.supplier is not null and ($9 or says(d.supplier, $7, $8))
                                    then $6 else d.supplier end,
                    invoice_number = case when says(d.invoice_number, $7, $8) then $6 else d.invoice_number end
             where d.connection_id = $1 and d.feed = $2 and d.source_id = $3 and d.digest = $4 and not exists (
                 select from movements m
                 where m.connection_id = $1 and m.source_id = d.source_id and m.feed = d.feed
                   and m.state not in ('delivered', 'failed'))
             returning d.feed, d.source_id),
         to_be_searched as (
             insert into unsearched (connection_id, page_id, feed, source_ids)
             select $1, new_movement_id(), feed, array[source_id] from done)
         delete from searched s using done d
         where s.connection_id = $1 and s.feed = d.feed and s.source_id = d.source_id",
        pass.connection.0,
        document.feed,
        document.source_id,
        document.digest,
        body,
        MARK,
        &pass.needle.plain,
        pass.needle.pattern,
        is_suppliers_own,
    )
    .execute(pass.db)
    .await?;
    Ok(())
}

/// Records that belong to a supplier.
#[derive(Debug, Default)]
pub struct Records {
    /// Their suppliers, each once.
    pub suppliers: Vec<Supplier>,
    /// Each as feed and id with a space between.
    pub all: Vec<String>,
    /// The ids of those that are orders.
    pub orders: Vec<String>,
}

/// The documents that are the supplier's that is looked for.
pub async fn records_of(db: &sqlx::PgPool, connection: ConnectionId, needle: &Needle) -> Result<Records> {
    let progress = tokio::sync::watch::Sender::new(0);
    let pass = Pass {
        db,
        connection,
        needle,
        records: &[],
        orders: &[],
        really: false,
        body: "",
        who: "",
        progress: &progress,
    };
    let (mut records, mut after) = (Records::default(), (String::new(), String::new()));
    loop {
        let (found, last, looked) = fitting(&pass, &after).await?;
        for document in found {
            let supplier = supplier_of(&document.body);
            if !needle.is_of(&supplier) {
                continue;
            }
            records.all.push(format!("{} {}", document.feed, document.source_id));
            if document.feed == Feed::PurchaseOrders.as_str() {
                records.orders.push(document.source_id);
            }
            if !records.suppliers.contains(&supplier) {
                records.suppliers.push(supplier);
            }
        }
        match last {
            Some(last) if looked == PAGE => after = last,
            _ => return Ok(records),
        }
    }
}

/// What the last reconciliations found: the values that name it.
pub async fn differences(pass: &Pass<'_>) -> Result<Counted> {
    let rows = sqlx::query!(
        "select run_id, place, difference from reconciliation_differences
         where connection_id = $1 and says(difference, $2, $3)",
        pass.connection.0,
        &pass.needle.plain,
        pass.needle.pattern,
    )
    .fetch_all(pass.db)
    .await?;
    let mut counted = Counted::of("reconciliation_differences");
    for row in rows {
        let Some(redacted) = redact(&row.difference, pass.needle, Besides::Nothing) else { continue };
        pass.add(&mut counted, 0, 1, 0);
        if pass.really {
            sqlx::query!(
                "update reconciliation_differences set difference = $4
                 where connection_id = $1 and run_id = $2 and place = $3",
                pass.connection.0,
                row.run_id,
                row.place,
                redacted,
            )
            .execute(pass.db)
            .await?;
        }
    }
    Ok(counted)
}
