-- Connections that were removed while journals of theirs count: whoever posts for the same Asana or Oracle later must
-- know what was posted already. The journals themselves stay in the record log.
create table removed_connections (
    connection_id uuid primary key,
    name text not null,
    asana_url text not null,
    oracle_url text not null,
    removed_at timestamptz not null default now()
);
