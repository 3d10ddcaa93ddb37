-- The last dry run of a connection: what the first activation asks for, and what it said. It is the only thing that a
-- dry run writes.
create table dry_runs (
    connection_id    uuid        not null primary key references connections on delete cascade,
    made_at          timestamptz not null default now(),
    settings_version integer     not null,
    whole            boolean     not null,
    created          bigint      not null,
    updated          bigint      not null,
    unchanged        bigint      not null,
    held             bigint      not null,
    asana_requests   bigint      not null,
    oracle_requests  bigint      not null
);
