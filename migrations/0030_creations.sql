-- Tasks that are about to be made: from before the request leaves until it is known what came of it. A row whose
-- outcome nobody knows keeps the task from being made anew before a later listing has shown that there is none.
create table creations (
    connection_id uuid not null references connections on delete cascade,
    order_id text not null,
    -- empty for the whole order
    line_id text not null,
    -- since when its outcome is unknown; null while a node waits for the answer
    doubted_at timestamptz,
    primary key (connection_id, order_id, line_id)
);
