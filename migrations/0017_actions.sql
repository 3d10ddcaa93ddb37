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
);
create index actions_subject on actions (connection_id, subject_id, action_id);

-- A replay is a movement of its own. It names the one whose record it sends again, and says whether what it sends
-- is not what the newest document says.
alter table movements add column replay_of uuid;
alter table movements add column deviates boolean not null default false;
create index movements_replay on movements (connection_id, replay_of) where replay_of is not null;
alter table movements drop constraint movements_outcome_check;
alter table movements add constraint movements_outcome_check check (outcome in
    ('created', 'updated', 'unchanged', 'ignored', 'superseded', 'discarded'));

-- The movements that a filter means; every null lets all pass. Ids sort by time, so that since and until are ids.
create function filtered_movements(whose uuid, in_state text, of_feed text, with_codes text[], since uuid, until uuid,
                                   of_order text, on_task text)
returns setof movements language sql stable as $$
    select m.* from movements m
    where m.connection_id = whose
      and (in_state is null or m.state = in_state)
      and (of_feed is null or m.feed = of_feed)
      and (with_codes is null or m.code = any(with_codes))
      and (since is null or m.movement_id >= since)
      and (until is null or m.movement_id < until)
      and (on_task is null or m.destination_id = on_task)
      and (of_order is null or (m.feed, m.source_id) in (
              select n.feed, n.source_id from named_orders n
              where n.connection_id = whose and n.order_number = of_order))
$$;
