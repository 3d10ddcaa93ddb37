-- What people did to movements and journals: who, when, what and why. An edit keeps the text before it and after it,
-- so that the record as Oracle gave it stays known.
create table actions (
    connection_id uuid        not null,
    action_id     uuid        not null default new_movement_id(),
    subject_kind  text        collate "C" not null check (subject_kind in ('movement', 'journal')),
    subject_id    uuid        not null,
    at            timestamptz not null default now(),
    done_by       text        not null,
    what          text        collate "C" not null check (what in ('edited', 'replayed', 'discarded', 'resolved')),
    note          text,
    before        text,
    after         text,
    primary key (connection_id, action_id)
) partition by range (action_id);
create table actions_default partition of actions default;
create index actions_subject on actions (connection_id, subject_id, action_id);

-- A replay is a movement of its own. It names the one whose record it sends again, and says whether what it sends
-- is not what the newest document says.
alter table movements add column replay_of uuid;
alter table movements add column deviates boolean not null default false;
create index movements_replay on movements (connection_id, replay_of) where replay_of is not null;
alter table movements drop constraint movements_outcome_check;
alter table movements add constraint movements_outcome_check check (outcome in
    ('created', 'updated', 'unchanged', 'ignored', 'superseded', 'discarded'));
