-- Budgets: how fast requests may leave, counted over all nodes. A token may be shared by several connections, and two
-- nodes must count it together without telling it, so a budget is named by a SHA-256 digest alone: of an Asana address
-- and token, or of a connection's Oracle side. It holds no data of any tenant, so it has no connection_id.
-- next_at: when the schedule has room for the next request.
create table budgets (
    budget       bytea       primary key,
    next_at      timestamptz not null,
    paused_until timestamptz
) with (fillfactor = 50);
-- Which nodes took places of a budget, and when: what cannot be taken ahead is divided among them.
create table budget_nodes (
    budget  bytea       not null,
    node_id uuid        not null,
    seen_at timestamptz not null,
    primary key (budget, node_id)
) with (fillfactor = 50);

-- Every exchange about a movement or a journal: one row per request that was sent, whatever came of it. node_id is who
-- sent it, request_id by what the other side finds it again, where it says so. Partitioned by its id, which
-- begins with the time, so that old ones can go by whole partitions; there is only the default one yet.
create table attempts (
    connection_id uuid        not null,
    attempt_id    uuid        not null,
    subject_kind  text        not null check (subject_kind in ('movement', 'journal')),
    subject_id    uuid        not null,
    at            timestamptz not null,
    what          text        not null,
    status        smallint,
    outcome       text        not null,
    code          text,
    elapsed_ms    integer     not null,
    node_id       uuid        not null,
    request_id    text,
    primary key (connection_id, attempt_id)
) partition by range (attempt_id);
create table attempts_default partition of attempts default;
create index attempts_subject on attempts (connection_id, subject_id);

-- One side of a connection that keeps failing: while open, no job that needs it begins, but one at a time as a probe,
-- from retry_at on. code and reason are the last failure's, code_since since when it is that code.
create table breakers (
    connection_id uuid        not null references connections on delete cascade,
    provider      text        not null check (provider in ('oracle', 'asana')),
    failures      integer     not null default 0,
    open          boolean     not null default false,
    opened_at     timestamptz,
    retry_at      timestamptz,
    probing_until timestamptz,
    code          text,
    reason        text,
    code_since    timestamptz,
    primary key (connection_id, provider)
);
create index breakers_open on breakers (connection_id) where open;
