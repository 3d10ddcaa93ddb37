-- The way back: tasks seen to be completed, and the journals they ask for.
-- connection_id leads every key and index of tenant data, and no foreign key crosses connections.

alter table jobs drop constraint jobs_job_check;
alter table jobs add constraint jobs_job_check check (job in
    ('purchase_orders', 'invoices', 'push', 'webhooks', 'sweep', 'completions', 'journals'));
insert into jobs (connection_id, job)
select connection_id, added.name from connections
cross join unnest(array ['webhooks', 'sweep', 'completions', 'journals']) as added(name);

-- From when on completions count: set when journals are first switched on, so that a task which was completed
-- long before, and is found by a first sweep, brings no journal.
alter table connections add column journals_since timestamptz;

-- One row per task and moment of completion; ordinal counts a task's completions from 1. What a person must
-- know stands in code and reason; due_at says when a held one is looked at again.
create table completions (
    connection_id   uuid        not null,
    task_gid        text        collate "C" not null,
    ordinal         integer     not null,
    completed_at    timestamptz not null,
    completed_by    text,
    task_name       text        not null,
    order_number    text        collate "C",
    own_cost        text,
    own_currency    text,
    approval_status text,
    order_id        text        collate "C",
    line_id         text        collate "C",
    state           text        collate "C" not null check (state in ('held', 'skipped', 'journal')),
    code            text,
    reason          text,
    found_by        text        not null check (found_by in ('webhook', 'sweep')),
    found_at        timestamptz not null default now(),
    looked_at       timestamptz,
    reopened_at     timestamptz,
    due_at          timestamptz,
    primary key (connection_id, task_gid, ordinal)
);
create unique index completions_moment on completions (connection_id, task_gid, completed_at);
create index completions_due on completions (connection_id, due_at) where due_at is not null;
create index completions_order on completions (connection_id, order_id) where order_id is not null;
create index completions_newest on completions (connection_id, found_at);

-- A journal: its plan, from which the file is made byte for byte, and where it stands on its way. group_id is
-- the idempotency key of the sending that stands, stored before its first byte leaves. subject is what bears
-- the cost: an order, an order line, or a task with a cost of its own; it has one journal that counts.
create table journals (
    connection_id   uuid        not null,
    journal_id      uuid        not null,
    kind            text        not null check (kind in ('posting', 'reversal')),
    task_gid        text        collate "C" not null,
    ordinal         integer     not null,
    subject         text        collate "C" not null,
    counts          boolean     not null,
    group_id        bigint      not null check (group_id > 0 and group_id < 1000000000000000000),
    plan            text        not null,
    accounting_date date        not null,
    currency        text        not null,
    amount          text        not null,
    state           text        collate "C" not null check (state in
                        ('ready', 'submitting', 'submitted', 'imported', 'rejected', 'in_doubt', 'withdrawn')),
    machine         text        not null,
    request_id      text,
    batch_id        text,
    code            text,
    reason          text,
    submissions     integer     not null default 0,
    fence           bigint      not null default 0,
    created_at      timestamptz not null default now(),
    submitted_at    timestamptz,
    decided_at      timestamptz,
    due_at          timestamptz,
    primary key (connection_id, journal_id)
);
create unique index journals_group on journals (connection_id, group_id);
create unique index journals_subject on journals (connection_id, subject) where counts;
create unique index journals_completion on journals (connection_id, task_gid, ordinal, kind);
create index journals_due on journals (connection_id, due_at) where due_at is not null;
create index journals_newest on journals (connection_id, created_at, journal_id);
create index journals_under_way on journals (connection_id, journal_id)
    where state in ('ready', 'submitting', 'submitted', 'in_doubt');

-- Every exchange and every decision about a journal, in order, in full. An answer that says the same as the one
-- before takes its row: a journal can be looked for during days.
create table journal_steps (
    connection_id uuid        not null,
    journal_id    uuid        not null,
    step_id       uuid        not null,
    at            timestamptz not null default now(),
    last_at       timestamptz not null default now(),
    repeats       integer     not null default 0,
    node_id       uuid        not null,
    state         text        not null,
    what          text        not null,
    request       text,
    response      text,
    primary key (connection_id, journal_id, step_id)
);

-- How far each watched project was swept for completions that no webhook told of.
create table sweeps (
    connection_id  uuid        not null,
    project_gid    text        collate "C" not null,
    modified_since timestamptz,
    swept_at       timestamptz not null default now(),
    primary key (connection_id, project_gid)
);
