-- What is sent to people about alerts. The body is frozen when the row is written, so that every attempt sends the same.
create table notifications (
    connection_id   uuid        not null,
    notification_id uuid        not null,
    channel         text        not null,
    state           text        not null default 'pending' check (state in ('pending', 'sent', 'given_up')),
    body            bytea       not null,
    created_at      timestamptz not null default now(),
    due_at          timestamptz not null default now(),
    attempts        integer     not null default 0,
    sent_at         timestamptz,
    -- why the last attempt failed
    code            text,
    reason          text,
    primary key (connection_id, notification_id)
);
create index notifications_due on notifications (connection_id, due_at) where state = 'pending';
create index notifications_newest on notifications (connection_id, channel, created_at);

-- Which alert stands in a notification of which channel: when last, and whether it was told that it is over.
create table told_alerts (
    connection_id uuid        not null,
    channel       text        not null,
    alert_id      uuid        not null,
    told_at       timestamptz not null default now(),
    over          boolean     not null,
    primary key (connection_id, channel, alert_id)
);
