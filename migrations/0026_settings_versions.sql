-- Every version of a connection's settings, so that it can be seen what was valid when, and gone back to. A version in
-- which only a secret changed holds the same settings as the one before. They stay when the connection is removed, as the
-- record log does; secrets never stand in settings.
create table settings_versions (
    connection_id uuid        not null,
    version       integer     not null,
    settings      text        not null,
    at            timestamptz not null default now(),
    -- who changed it, where the system says so
    done_by       text,
    -- the version that was gone back to
    rollback_to   integer,
    primary key (connection_id, version)
);
insert into settings_versions (connection_id, version, settings, at)
    select connection_id, settings_version, settings, updated_at from connections;
