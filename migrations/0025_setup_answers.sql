-- What the guide was told of a connection that is not whole yet: answers without secrets, by the name that the connection
-- will have. There is no connection_id, since a connection begins only when both its sides are known. The row goes when
-- the connection's fields are mapped, and with the connection.
create table setup_answers (
    name    text        not null primary key,
    answers jsonb       not null,
    at      timestamptz not null default now()
);
