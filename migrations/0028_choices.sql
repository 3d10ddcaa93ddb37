-- What people chose on tasks and may not be used there, and when all tasks were last looked at for it.

-- A supplier or account on a task that may not be used, as it was last judged; those of a task and kind are numbered from 0.
create table invalid_choices (
    connection_id uuid        not null,
    task_gid      text        not null,
    kind          text        not null check (kind in ('suppliers', 'accounts')),
    place         integer     not null,
    value         text        not null,
    validity      text        not null check (validity in ('gone', 'expired', 'disabled', 'unknown')),
    found_at      timestamptz not null default now(),
    primary key (connection_id, task_gid, kind, place)
);

-- When all tasks of a connection were last looked at, and with which settings.
create table reference_looks (
    connection_id    uuid        not null primary key,
    settings_version integer     not null,
    looked_at        timestamptz not null
);
