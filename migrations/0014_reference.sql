-- Suppliers and account combinations as Oracle shows them, and the options of Asana fields that stand for them.
-- connection_id leads every key, and no foreign key crosses connections.

alter table jobs drop constraint jobs_job_check;
alter table jobs add constraint jobs_job_check check (job in
    ('purchase_orders', 'invoices', 'push', 'webhooks', 'sweep', 'completions', 'journals', 'alerts', 'reconcile',
     'suppliers', 'accounts'));
insert into jobs (connection_id, job)
select connection_id, added.name from connections
cross join unnest(array ['suppliers', 'accounts']) as added(name)
on conflict do nothing;

-- gone_at is set when a complete reading did not show the row any more.
create table suppliers (
    connection_id uuid        not null,
    supplier_id   text        collate "C" not null,
    name          text        not null,
    number        text,
    status        text,
    inactive_date date,
    digest        bytea       not null,
    gone_at       timestamptz,
    stored_at     timestamptz not null default now(),
    primary key (connection_id, supplier_id)
);
create index suppliers_name on suppliers (connection_id, upper(name));

-- name is the concatenated segments as Oracle shows them, else the segments with a full stop between them.
create table accounts (
    connection_id  uuid        not null,
    account_id     text        collate "C" not null,
    name           text        not null,
    account_type   text,
    enabled        boolean     not null,
    detail_posting boolean     not null,
    start_date     date,
    end_date       date,
    digest         bytea       not null,
    gone_at        timestamptz,
    stored_at      timestamptz not null default now(),
    primary key (connection_id, account_id)
);
create index accounts_name on accounts (connection_id, upper(name));

-- The last complete reading of each kind.
create table reference_readings (
    connection_id uuid        not null,
    kind          text        not null check (kind in ('suppliers', 'accounts')),
    rows          bigint      not null,
    finished_at   timestamptz not null,
    primary key (connection_id, kind)
);

-- Which option of a single-select field stands for which supplier or account.
create table reference_options (
    connection_id uuid        not null,
    field_gid     text        not null,
    source_id     text        collate "C" not null,
    option_gid    text        not null,
    bound_at      timestamptz not null default now(),
    primary key (connection_id, field_gid, source_id)
);

-- How the options of a field are kept: which of them, and what a person must know of it.
create table reference_fields (
    connection_id uuid        not null,
    field_gid     text        not null,
    purpose       text        not null,
    kept          text        not null check (kept in ('all', 'in_use', 'none')),
    needed        bigint      not null,
    code          text,
    reason        text,
    looked_at     timestamptz not null default now(),
    primary key (connection_id, field_gid)
);
