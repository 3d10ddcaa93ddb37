-- Asana's webhooks: which are registered, what they delivered, and the events to be looked at.
-- connection_id leads every key and index, and no foreign key crosses connections.

-- One registration. Its target's token is stored only as a digest; its secret is the credential
-- webhook_secret/{webhook_id}: a candidate while pending, the secret once active.
--   pending  the row is there, Asana was asked or is about to be
--   active   Asana's answer named the secret that the handshake brought
--   lost     Asana no longer has it, or it leads elsewhere
--   removed  taken back, since nobody wants it any more
--   failed   it never became active; last_failure says why
create table webhooks (
    connection_id    uuid        not null references connections on delete cascade,
    webhook_id       uuid        not null,
    resource_gid     text        not null,
    resource_kind    text        not null check (resource_kind in ('project', 'workspace')),
    state            text        not null check (state in ('pending', 'active', 'lost', 'removed', 'failed')),
    token_digest     bytea       not null,
    asana_gid        text,
    created_at       timestamptz not null default now(),
    active_at        timestamptz,
    ended_at         timestamptz,
    -- a delivery with a good signature, to within a few seconds
    last_delivery_at timestamptz,
    -- what Asana says of its own attempts
    last_success_at  timestamptz,
    last_failure_at  timestamptz,
    last_failure     text,
    -- deliveries whose signature was bad or missing
    rejected         bigint      not null default 0,
    primary key (connection_id, webhook_id)
);
create unique index webhooks_token on webhooks (connection_id, token_digest);
create unique index webhooks_live on webhooks (connection_id, resource_gid) where state in ('pending', 'active');

-- One signed POST. body is its raw text, to the letter.
create table deliveries (
    connection_id uuid        not null,
    delivery_id   uuid        not null,
    webhook_id    uuid        not null,
    received_at   timestamptz not null default now(),
    events        integer     not null,
    body          text        not null,
    primary key (connection_id, delivery_id)
);

-- The inbox: each event once, however often and by whatever way it arrives. event_key is sixteen bytes that
-- begin with the event's second, so that new rows go to the end of both indexes; its type is uuid because that
-- is PostgreSQL's type of sixteen bytes. No other index: every byte here is written for every event.
create table events (
    connection_id uuid        not null,
    event_key     uuid        not null,
    -- null: found by the sweep
    delivery_id   uuid,
    resource_type text        not null,
    resource_gid  text        not null,
    parent_gid    text,
    action        text        not null,
    field         text,
    happened_at   timestamptz,
    state         text        not null check (state in ('open', 'done', 'ignored')),
    primary key (connection_id, event_key)
);
create index events_open on events (connection_id, event_key) where state = 'open';
