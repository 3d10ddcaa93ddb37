-- Alerts: what a person must know, opened once per cause and closed by itself when the cause is gone; and the nodes.

alter table jobs drop constraint jobs_job_check;
alter table jobs add constraint jobs_job_check check (job in
    ('purchase_orders', 'invoices', 'push', 'webhooks', 'sweep', 'completions', 'journals', 'alerts'));
insert into jobs (connection_id, job, due_at)
select connection_id, 'alerts', case when state = 'active' then now() end from connections;

-- When a job last ended well: finished_at says only that it ended.
alter table jobs add column succeeded_at timestamptz;
update jobs set succeeded_at = finished_at where code is null;

-- moved_at: when the watermark last moved. empty_since: since when complete readings of the feed find nothing.
alter table feeds
    add column moved_at    timestamptz,
    add column empty_since timestamptz;

create index movements_failed on movements (connection_id, code) where state = 'failed';
create index journals_rejected on journals (connection_id, journal_id) where state = 'rejected';
create index completions_held on completions (connection_id, code) where state = 'held';

-- One alert. At most one is open for a kind and a subject. An alert about a node has the connection
-- 00000000-0000-0000-0000-000000000000: it belongs to no connection, and therefore nothing references connections.
create table alerts (
    connection_id uuid        not null,
    alert_id      uuid        not null,
    kind          text        not null,
    subject       text        collate "C" not null,
    code          text,
    -- how many things are concerned now, or how often it happened in a row
    count         bigint      not null,
    title         text        not null,
    detail        text        not null,
    opened_at     timestamptz not null default now(),
    seen_at       timestamptz not null default now(),
    closed_at     timestamptz,
    -- what has a moment of its own and may be over before it is looked at is told once: the newest such moment
    event_at      timestamptz,
    acked_at      timestamptz,
    acked_by      text,
    note          text,
    primary key (connection_id, alert_id)
);
create unique index alerts_open on alerts (connection_id, kind, subject) where closed_at is null;
create index alerts_newest on alerts (connection_id, opened_at);

-- The processes that serve; no tenant data. One that stops in order deletes its row.
create table nodes (
    node_id       uuid        primary key,
    host          text        not null,
    pid           bigint      not null,
    started_at    timestamptz not null default now(),
    seen_at       timestamptz not null default now(),
    -- the node's clock minus the database's, in seconds
    clock_offset  double precision not null
);
