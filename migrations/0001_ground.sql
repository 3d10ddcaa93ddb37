-- The ground: connections, their secrets, what was read, what moved, and who works on it.
-- connection_id leads every key and index of tenant data, and no foreign key crosses connections.

create table connections (
    connection_id    uuid primary key,
    name             text        not null unique,
    state            text        not null check (state in ('draft', 'active', 'paused')),
    settings         text        not null,
    settings_version integer     not null default 1,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now()
);

-- One random data key per connection and version, wrapped by the key-encryption key named kek_id.
create table data_keys (
    connection_id uuid        not null references connections on delete cascade,
    key_version   integer     not null,
    kek_id        text        not null,
    nonce         bytea       not null,
    wrapped       bytea       not null,
    created_at    timestamptz not null default now(),
    primary key (connection_id, key_version)
);

create table credentials (
    connection_id uuid        not null references connections on delete cascade,
    name          text        not null,
    key_version   integer     not null,
    nonce         bytea       not null,
    ciphertext    bytea       not null,
    updated_at    timestamptz not null default now(),
    primary key (connection_id, name)
);

-- What a node may lease: one poll per feed and the push. due_at null: nothing to do.
create table jobs (
    connection_id uuid        not null references connections on delete cascade,
    job           text        not null check (job in ('purchase_orders', 'invoices', 'push')),
    due_at        timestamptz,
    fence         bigint      not null default 0,
    node_id       uuid,
    lease_until   timestamptz,
    failures      integer     not null default 0,
    started_at    timestamptz,
    finished_at   timestamptz,
    code          text,
    reason        text,
    primary key (connection_id, job)
);

-- How far a feed has read. mode is null until the pod's describe was asked.
create table feeds (
    connection_id  uuid   not null references connections on delete cascade,
    feed           text   not null check (feed in ('purchase_orders', 'invoices')),
    mode           text   check (mode in ('by_last_update', 'full_scan')),
    watermark      timestamptz,
    watermark_id   text,
    unfinished     boolean not null default false,
    scan_after     text,
    scan_started_at timestamptz,
    scanned_at     timestamptz,
    primary key (connection_id, feed)
);

-- The latest snapshot of each Oracle record: body is the raw JSON text, to the letter. order_number is the
-- order's own, or those that an invoice names, a line each.
create table documents (
    connection_id uuid        not null,
    feed          text        not null,
    source_id     text        not null,
    order_number  text,
    last_update   timestamptz,
    fingerprint   bytea       not null,
    digest        bytea       not null,
    body          text        not null,
    stored_at     timestamptz not null default now(),
    primary key (connection_id, feed, source_id)
);

-- Which documents carry or name which order number. A number that a document no longer names may stay:
-- whoever reads looks at the document itself. Neither this table nor documents has a second index, so
-- that the planner, which knows nothing of a new connection yet, has no wrong one to choose.
create table named_orders (
    connection_id uuid not null,
    order_number  text not null,
    feed          text not null,
    source_id     text not null,
    primary key (connection_id, order_number, feed, source_id)
);

-- The record log and the outbox in one. A pending movement's body is its document's; it is frozen
-- into the row when the movement is claimed.
create table movements (
    connection_id   uuid        not null,
    movement_id     uuid        not null,
    feed            text        not null,
    source_id       text        not null,
    destination_id  text,
    state           text        not null check (state in
                        ('pending', 'sending', 'delivered', 'retrying', 'failed', 'held', 'in_doubt')),
    outcome         text        check (outcome in ('created', 'updated', 'unchanged', 'ignored', 'superseded')),
    code            text,
    reason          text,
    body            text,
    request         text,
    response        text,
    attempts        integer     not null default 0,
    next_attempt_at timestamptz not null default now(),
    fence           bigint      not null default 0,
    created_at      timestamptz not null default now(),
    sent_at         timestamptz,
    finished_at     timestamptz,
    primary key (connection_id, movement_id)
);
-- A record has at most one pending movement: what changes again before it is claimed goes with it.
create unique index movements_pending on movements (connection_id, feed, source_id) where state = 'pending';
create index movements_sent on movements (connection_id, movement_id)
    where state in ('sending', 'retrying', 'in_doubt');
create index movements_held on movements (connection_id, feed, source_id) where state = 'held';

-- Which task stands for which order, or order line (line_id '' : the whole order).
create table links (
    connection_id uuid        not null,
    order_id      text        not null,
    line_id       text        not null default '',
    task_gid      text        not null,
    origin        text        not null check (origin in ('created', 'found')),
    created_at    timestamptz not null default now(),
    gone_at       timestamptz,
    primary key (connection_id, order_id, line_id, task_gid)
);
create index links_task on links (connection_id, task_gid);
create index links_gone on links (connection_id) where gone_at is not null;

-- What Asana last said of each task in the mapped projects.
create table tasks (
    connection_id uuid        not null,
    task_gid      text        not null,
    project_gids  text[]      not null,
    order_number  text,
    order_key     text,
    field_values  text        not null,
    modified_at   timestamptz,
    stored_at     timestamptz not null default now(),
    primary key (connection_id, task_gid)
);
create index tasks_order_number on tasks (connection_id, order_number);
create index tasks_order_key on tasks (connection_id, order_key);

-- How far each mapped project's task listing was read.
create table listings (
    connection_id uuid not null,
    project_gid   text not null,
    modified_since timestamptz,
    listed_at     timestamptz not null default now(),
    primary key (connection_id, project_gid)
);
