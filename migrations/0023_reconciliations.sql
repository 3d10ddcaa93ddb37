-- Reconciliation by itself: its job, and what the newest runs found.

-- Connections that are at work already are compared within a day, not all at once.
insert into jobs (connection_id, job, due_at)
select connection_id, 'reconcile', case when state = 'active' then now() + random() * interval '24 hours' end
from connections
on conflict do nothing;

-- One complete comparison that was not only a check. The newest ones are kept.
create table reconciliations (
    connection_id uuid        not null references connections on delete cascade,
    run_id        uuid        not null,
    node_id       uuid        not null,
    asked_by      text        not null check (asked_by in ('schedule', 'person')),
    drift         text        not null check (drift in ('repair', 'report')),
    started_at    timestamptz not null,
    finished_at   timestamptz not null default now(),
    records       bigint      not null,
    tasks         bigint      not null,
    journals      bigint      not null,
    primary key (connection_id, run_id)
);

-- How many differences of a kind a run found, and what became of them: put right, under way by itself, told by a
-- movement, or left to a person.
create table reconciliation_counts (
    connection_id uuid   not null,
    run_id        uuid   not null,
    kind          text   not null,
    found         bigint not null,
    repaired      bigint not null,
    under_way     bigint not null,
    told          bigint not null,
    remaining     bigint not null,
    primary key (connection_id, run_id, kind),
    foreign key (connection_id, run_id) references reconciliations on delete cascade
);

-- Some of the differences, as JSON with the values that were expected and shown; those that are left first.
create table reconciliation_differences (
    connection_id uuid    not null,
    run_id        uuid    not null,
    place         integer not null,
    fate          text    not null check (fate in ('repaired', 'under_way', 'told', 'remaining')),
    difference    text    not null,
    primary key (connection_id, run_id, place),
    foreign key (connection_id, run_id) references reconciliations on delete cascade
);
