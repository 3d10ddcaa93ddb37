//! The log: movements, attempts, steps, actions, deliveries, alerts. Bodies go as a whole, words where they say a name.

use uuid::Uuid;

use super::{PAGE, Pass};
use crate::erase::{Counted, MARK};
use crate::error::Result;

/// Movements that are delivered or given up: record, request and answer where one of them says a name or the record is the
/// supplier's, and the reason where it says one.
pub async fn movements(pass: &Pass<'_>) -> Result<Counted> {
    let (mut counted, mut after) = (Counted::of("movements"), Uuid::nil());
    loop {
        let page = sqlx::query!(
            "with page as (
                 select movement_id from movements
                 where connection_id = $1 and movement_id > $2 order by movement_id limit $3),
             looked as (
                 select m.movement_id, m.state in ('delivered', 'failed') as ended, says(m.reason, $4, $5) as in_reason,
                        says(m.body, $4, $5) or says(m.request, $4, $5) or says(m.response, $4, $5)
                        or says(m.earlier_requests, $4, $5)
                        or (m.feed || ' ' || m.source_id = any($9)
                            and (m.body not like '{\"erased\":%' or m.request not like '{\"erased\":%'
                                 or m.response not like '{\"erased\":%')) as in_texts
                 from page p join movements m on m.connection_id = $1 and m.movement_id = p.movement_id),
             hit as (
                 select * from looked where in_reason or in_texts),
             done as (
                 update movements m
                 set body = case when h.in_texts and m.body is not null then $6 else m.body end,
                     request = case when h.in_texts and m.request is not null then $6 else m.request end,
                     earlier_requests = case when h.in_texts and m.earlier_requests is not null
                                             then $6 else m.earlier_requests end,
                     response = case when h.in_texts and m.response is not null then $6 else m.response end,
                     reason = case when h.in_reason then $7 else m.reason end
                 from hit h where $8 and h.ended and m.connection_id = $1 and m.movement_id = h.movement_id
                   and m.state in ('delivered', 'failed'))
             select (select movement_id from page order by movement_id desc limit 1) as last,
                    (select count(*) from page) as \"looked!\", (select count(*) from hit where ended) as \"erased!\",
                    (select count(*) from hit where not ended) as \"open!\"",
            pass.connection.0,
            after,
            PAGE,
            &pass.needle.plain,
            pass.needle.pattern,
            pass.body,
            MARK,
            pass.really,
            pass.records,
        )
        .fetch_one(pass.db)
        .await?;
        let more = pass.add(&mut counted, page.looked, page.erased, page.open);
        match page.last {
            Some(last) if more => after = last,
            _ => return Ok(counted),
        }
    }
}

/// What people did: the texts of edits, notes, and who it was. Edits of what is under way stay, and who erased.
pub async fn actions(pass: &Pass<'_>) -> Result<Counted> {
    let (mut counted, mut after) = (Counted::of("actions"), Uuid::nil());
    loop {
        let page = sqlx::query!(
            "with page as (
                 select action_id from actions
                 where connection_id = $1 and action_id > $2 order by action_id limit $3),
             hit as (
                 select a.action_id, says(a.before, $4, $5) or says(a.after, $4, $5) as in_texts, not exists (
                            select from movements m where m.connection_id = $1 and m.movement_id = a.subject_id
                              and m.state not in ('delivered', 'failed')) as ended
                 from page p join actions a on a.connection_id = $1 and a.action_id = p.action_id
                 where says(a.before, $4, $5) or says(a.after, $4, $5) or says(a.note, $4, $5)
                    or (says(a.done_by, $4, $5) and a.what <> 'erased')),
             done as (
                 update actions a
                 set before = case when h.in_texts and a.before is not null then $6 else a.before end,
                     after = case when h.in_texts and a.after is not null then $6 else a.after end,
                     note = case when says(a.note, $4, $5) then $7 else a.note end,
                     done_by = case when says(a.done_by, $4, $5) and a.what <> 'erased' then $9 else a.done_by end
                 from hit h where $8 and h.ended and a.connection_id = $1 and a.action_id = h.action_id)
             select (select action_id from page order by action_id desc limit 1) as last,
                    (select count(*) from page) as \"looked!\", (select count(*) from hit where ended) as \"erased!\",
                    (select count(*) from hit where not ended) as \"open!\"",
            pass.connection.0,
            after,
            PAGE,
            &pass.needle.plain,
            pass.needle.pattern,
            pass.body,
            MARK,
            pass.really,
            pass.who,
        )
        .fetch_one(pass.db)
        .await?;
        let more = pass.add(&mut counted, page.looked, page.erased, page.open);
        match page.last {
            Some(last) if more => after = last,
            _ => return Ok(counted),
        }
    }
}

/// What was asked: a path can name somebody.
pub async fn attempts(pass: &Pass<'_>) -> Result<Counted> {
    let (mut counted, mut after) = (Counted::of("attempts"), Uuid::nil());
    loop {
        let page = sqlx::query!(
            "with page as (
                 select attempt_id, what, outcome from attempts
                 where connection_id = $1 and attempt_id > $2 order by attempt_id limit $3),
             hit as (
                 select attempt_id from page where says(what, $4, $5) or says(outcome, $4, $5)),
             done as (
                 update attempts a
                 set what = case when says(a.what, $4, $5) then $6 else a.what end,
                     outcome = case when says(a.outcome, $4, $5) then $6 else a.outcome end
                 from hit h where $7 and a.connection_id = $1 and a.attempt_id = h.attempt_id)
             select (select attempt_id from page order by attempt_id desc limit 1) as last,
                    (select count(*) from page) as \"looked!\", (select count(*) from hit) as \"erased!\"",
            pass.connection.0,
            after,
            PAGE,
            &pass.needle.plain,
            pass.needle.pattern,
            MARK,
            pass.really,
        )
        .fetch_one(pass.db)
        .await?;
        let more = pass.add(&mut counted, page.looked, page.erased, 0);
        match page.last {
            Some(last) if more => after = last,
            _ => return Ok(counted),
        }
    }
}

/// The stories of journals that are settled: those that say a name, and those of the supplier's orders.
pub async fn journal_steps(pass: &Pass<'_>) -> Result<Counted> {
    let (mut counted, mut after) = (Counted::of("journal_steps"), (Uuid::nil(), Uuid::nil()));
    loop {
        let page = sqlx::query!(
            "with page as (
                 select journal_id, step_id from journal_steps
                 where connection_id = $1 and (journal_id, step_id) > ($2, $3) order by journal_id, step_id limit $4),
             hit as (
                 select s.journal_id, s.step_id, not exists (
                            select from journals j where j.connection_id = $1 and j.journal_id = s.journal_id
                              and j.state in ('ready', 'submitting', 'submitted', 'in_doubt')) as ended
                 from page p join journal_steps s
                      on s.connection_id = $1 and s.journal_id = p.journal_id and s.step_id = p.step_id
                 where says(s.request, $5, $6) or says(s.response, $5, $6) or says(s.what, $5, $6)
                    or ((s.request not like '{\"erased\":%' or s.response not like '{\"erased\":%') and exists (
                        select from journals j join completions c
                             on c.connection_id = $1 and c.task_gid = j.task_gid and c.ordinal = j.ordinal
                        where j.connection_id = $1 and j.journal_id = s.journal_id and c.order_id = any($10)))),
             done as (
                 update journal_steps s
                 set request = case when s.request is not null then $7 end,
                     response = case when s.response is not null then $7 end,
                     what = case when says(s.what, $5, $6) then $8 else s.what end
                 from hit h where $9 and h.ended and s.connection_id = $1 and s.journal_id = h.journal_id
                   and s.step_id = h.step_id)
             select (select journal_id from page order by journal_id desc, step_id desc limit 1) as journal,
                    (select step_id from page order by journal_id desc, step_id desc limit 1) as step,
                    (select count(*) from page) as \"looked!\", (select count(*) from hit where ended) as \"erased!\",
                    (select count(*) from hit where not ended) as \"open!\"",
            pass.connection.0,
            after.0,
            after.1,
            PAGE,
            &pass.needle.plain,
            pass.needle.pattern,
            pass.body,
            MARK,
            pass.really,
            pass.orders,
        )
        .fetch_one(pass.db)
        .await?;
        let more = pass.add(&mut counted, page.looked, page.erased, page.open);
        match (page.journal, page.step) {
            (Some(journal), Some(step)) if more => after = (journal, step),
            _ => return Ok(counted),
        }
    }
}

/// The texts of deliveries whose events were all looked at.
pub async fn deliveries(pass: &Pass<'_>) -> Result<Counted> {
    let (mut counted, mut after) = (Counted::of("deliveries"), Uuid::nil());
    loop {
        let page = sqlx::query!(
            "with page as (
                 select delivery_id, body from deliveries
                 where connection_id = $1 and delivery_id > $2 order by delivery_id limit $3),
             hit as (
                 select delivery_id, delivery_id not in (
                            select e.delivery_id from events e
                            where e.connection_id = $1 and e.state = 'open' and e.delivery_id is not null) as ended
                 from page where says(body, $4, $5)),
             done as (
                 update deliveries d set body = $6 from hit h
                 where $7 and h.ended and d.connection_id = $1 and d.delivery_id = h.delivery_id)
             select (select delivery_id from page order by delivery_id desc limit 1) as last,
                    (select count(*) from page) as \"looked!\", (select count(*) from hit where ended) as \"erased!\",
                    (select count(*) from hit where not ended) as \"open!\"",
            pass.connection.0,
            after,
            PAGE,
            &pass.needle.plain,
            pass.needle.pattern,
            pass.body,
            pass.really,
        )
        .fetch_one(pass.db)
        .await?;
        let more = pass.add(&mut counted, page.looked, page.erased, page.open);
        match page.last {
            Some(last) if more => after = last,
            _ => return Ok(counted),
        }
    }
}

/// Alerts that are closed. The texts of open ones are made anew from what they are about.
pub async fn alerts(pass: &Pass<'_>) -> Result<Counted> {
    let told = sqlx::query!(
        "with hit as (
             select alert_id, closed_at is not null as ended from alerts
             where connection_id = $1 and (says(title, $2, $3) or says(detail, $2, $3) or says(note, $2, $3)
                or says(acked_by, $2, $3) or says(subject, $2, $3))),
         done as (
             update alerts a
             set title = case when says(a.title, $2, $3) then $4 else a.title end,
                 detail = case when says(a.detail, $2, $3) then $4 else a.detail end,
                 note = case when says(a.note, $2, $3) then $4 else a.note end,
                 subject = case when says(a.subject, $2, $3) then $4 else a.subject end,
                 acked_by = case when says(a.acked_by, $2, $3) then $5 else a.acked_by end
             from hit h where $6 and h.ended and a.connection_id = $1 and a.alert_id = h.alert_id)
         select (select count(*) from hit where ended) as \"erased!\",
                (select count(*) from hit where not ended) as \"open!\"",
        pass.connection.0,
        &pass.needle.plain,
        pass.needle.pattern,
        MARK,
        pass.who,
        pass.really,
    )
    .fetch_one(pass.db)
    .await?;
    let mut counted = Counted::of("alerts");
    pass.add(&mut counted, 0, told.erased, told.open);
    Ok(counted)
}

/// Messages about alerts that were sent or given up. What a mail says is encoded, so all of these go.
pub async fn notifications(pass: &Pass<'_>) -> Result<Counted> {
    let told = sqlx::query!(
        "with hit as (
             select notification_id, state in ('sent', 'given_up') as ended,
                    message_text(body) is null or says(message_text(body), $2, $3) as in_body
             from notifications
             where connection_id = $1
               and (message_text(body) is null or says(message_text(body), $2, $3) or says(reason, $2, $3))),
         done as (
             update notifications n
             set body = case when h.in_body then convert_to($4, 'UTF8') else n.body end,
                 reason = case when says(n.reason, $2, $3) then $5 else n.reason end
             from hit h where $6 and h.ended and n.connection_id = $1 and n.notification_id = h.notification_id)
         select (select count(*) from hit where ended) as \"erased!\",
                (select count(*) from hit where not ended) as \"open!\"",
        pass.connection.0,
        &pass.needle.plain,
        pass.needle.pattern,
        pass.body,
        MARK,
        pass.really,
    )
    .fetch_one(pass.db)
    .await?;
    let mut counted = Counted::of("notifications");
    pass.add(&mut counted, 0, told.erased, told.open);
    Ok(counted)
}

/// Why the last run of a job, the last call of a side, a field's options or a webhook failed.
pub async fn last_failures(pass: &Pass<'_>) -> Result<Counted> {
    let erased = sqlx::query_scalar!(
        "with of_jobs as (
             select job from jobs where connection_id = $1 and says(reason, $2, $3)),
         of_sides as (
             select provider from breakers where connection_id = $1 and says(reason, $2, $3)),
         of_fields as (
             select field_gid from reference_fields where connection_id = $1 and says(reason, $2, $3)),
         of_webhooks as (
             select webhook_id from webhooks where connection_id = $1 and says(last_failure, $2, $3)),
         jobs_done as (
             update jobs j set reason = $4 from of_jobs o
             where $5 and j.connection_id = $1 and j.job = o.job),
         sides_done as (
             update breakers b set reason = $4 from of_sides o
             where $5 and b.connection_id = $1 and b.provider = o.provider),
         fields_done as (
             update reference_fields f set reason = $4 from of_fields o
             where $5 and f.connection_id = $1 and f.field_gid = o.field_gid),
         webhooks_done as (
             update webhooks w set last_failure = $4 from of_webhooks o
             where $5 and w.connection_id = $1 and w.webhook_id = o.webhook_id)
         select (select count(*) from of_jobs) + (select count(*) from of_sides) + (select count(*) from of_fields)
              + (select count(*) from of_webhooks) as \"erased!\"",
        pass.connection.0,
        &pass.needle.plain,
        pass.needle.pattern,
        MARK,
        pass.really,
    )
    .fetch_one(pass.db)
    .await?;
    let mut counted = Counted::of("last failures");
    pass.add(&mut counted, 0, erased, 0);
    Ok(counted)
}

/// Who changed the settings. The settings themselves stay: a person changes them.
pub async fn settings_versions(pass: &Pass<'_>) -> Result<Counted> {
    let erased = sqlx::query_scalar!(
        "with hit as (
             select version from settings_versions where connection_id = $1 and says(done_by, $2, $3)),
         done as (
             update settings_versions s set done_by = $4 from hit h
             where $5 and s.connection_id = $1 and s.version = h.version)
         select count(*) as \"erased!\" from hit",
        pass.connection.0,
        &pass.needle.plain,
        pass.needle.pattern,
        pass.who,
        pass.really,
    )
    .fetch_one(pass.db)
    .await?;
    let mut counted = Counted::of("settings_versions");
    pass.add(&mut counted, 0, erased, 0);
    Ok(counted)
}
