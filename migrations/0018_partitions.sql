-- The log by months: movements, attempts, the steps of journals and what people did are partitioned by their ids, which
-- begin with the time (UUID version 7), so that old months can go as a whole. What fits no month is in the default partition.

-- The smallest id that can have been made at a moment.
create function first_id(moment timestamptz) returns uuid language sql immutable parallel safe as $$
    select (lpad(to_hex(floor(extract(epoch from moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Makes the partition of a month for a table, unless it is there. What the default partition holds of the month moves
-- there.
create function make_month(of_table text, id_column text, month date) returns void language plpgsql as $$
declare
    partition text := of_table || to_char(month, '"_y"YYYY"m"MM');
    lower uuid := first_id(month::timestamp at time zone 'UTC');
    upper uuid := first_id((month + interval '1 month')::timestamp at time zone 'UTC');
begin
    if to_regclass(partition) is not null then
        return;
    end if;
    execute format('create table %I (like %I including defaults including constraints)', partition, of_table);
    execute format('with moved as (delete from %I where %I >= %L and %I < %L returning *)
                    insert into %I select * from moved',
                   of_table || '_default', id_column, lower, id_column, upper, partition);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)',
                   of_table, partition, lower, upper);
end $$;

-- The partitioned tables, each with its id.
create function partitioned_tables() returns table (of_table text, id_column text) language sql immutable as $$
    values ('movements', 'movement_id'), ('attempts', 'attempt_id'), ('journal_steps', 'step_id'), ('actions', 'action_id')
$$;

-- Makes the months that are needed now and soon: this one and the two after it.
create function make_months() returns void language sql as $$
    select make_month(t.of_table, t.id_column, (date_trunc('month', now() at time zone 'UTC') + n * interval '1 month')::date)
    from partitioned_tables() t cross join generate_series(0, 2) n order by t.of_table, n
$$;

-- Drops the months that ended before a moment, and returns the names of the dropped tables. A month of movements that
-- has an open one stays, and one of steps while a journal of it is on its way.
create function drop_months(ended_before timestamptz) returns setof text language plpgsql as $$
declare
    one record;
    is_needed boolean := false;
begin
    for one in
        select t.of_table, c.relname::text as name,
               (to_date(right(c.relname, 7), 'YYYY"m"MM') + interval '1 month') at time zone 'UTC' as ends
        from partitioned_tables() t
        join pg_inherits i on i.inhparent = t.of_table::regclass
        join pg_class c on c.oid = i.inhrelid and c.relname ~ '_y[0-9]{4}m[0-9]{2}$'
    loop
        continue when one.ends > ended_before;
        if one.of_table = 'movements' then
            execute format($q$select exists (select from %I where state not in ('delivered', 'failed'))$q$, one.name)
                into is_needed;
            continue when is_needed;
        elsif one.of_table = 'journal_steps' then
            execute format($q$select exists (
                    select from journals j join %I s using (connection_id, journal_id)
                    where j.state in ('ready', 'submitting', 'submitted', 'in_doubt'))$q$, one.name)
                into is_needed;
            continue when is_needed;
        end if;
        execute format('drop table %I', one.name);
        return next one.name;
    end loop;
end $$;

-- Until when the bodies of a connection's log were taken away already.
alter table connections add column bodies_kept_from timestamptz;

alter table movements rename to movements_before;
alter table movements_before rename constraint movements_pkey to movements_before_pkey;
drop index movements_pending, movements_sent, movements_held, movements_record, movements_failed, movements_replay;
create table movements (like movements_before including defaults including constraints,
                        primary key (connection_id, movement_id)) partition by range (movement_id);
create table movements_default partition of movements default;
-- Usually one pending movement per record: what changes again before it is claimed goes with it. Two that are opened at
-- the same moment do no harm: the newer one carries the record, and the other one is superseded.
create index movements_pending on movements (connection_id, feed, source_id) where state = 'pending';
create index movements_sent on movements (connection_id, movement_id)
    where state in ('sending', 'retrying', 'in_doubt');
create index movements_held on movements (connection_id, feed, source_id) where state = 'held';
create index movements_failed on movements (connection_id, code) where state = 'failed';
create index movements_replay on movements (connection_id, replay_of) where replay_of is not null;
-- The way from a record to what was done about it. It does not begin with the feed, so that a claim, which looks for
-- pending movements in the order of feed and id, has no wrong index to choose.
create index movements_record on movements (connection_id, source_id, movement_id);

alter table journal_steps rename to journal_steps_before;
alter table journal_steps_before rename constraint journal_steps_pkey to journal_steps_before_pkey;
create table journal_steps (like journal_steps_before including defaults including constraints,
                            primary key (connection_id, journal_id, step_id)) partition by range (step_id);
create table journal_steps_default partition of journal_steps default;

select make_months();
insert into movements select * from movements_before;
insert into journal_steps select * from journal_steps_before;
-- what is older than this month
select make_month(t.of_table, t.id_column, (date_trunc('month', now() at time zone 'UTC') - n * interval '1 month')::date)
from partitioned_tables() t cross join generate_series(1, 3) n
where exists (select from movements_before) or exists (select from attempts);
drop table movements_before, journal_steps_before;

-- The movements that a filter means; every null lets all pass.
create function filtered_movements(whose uuid, in_state text, of_feed text, with_codes text[], since timestamptz,
                                   until timestamptz, of_order text, on_task text)
returns setof movements language sql stable as $$
    select m.* from movements m
    where m.connection_id = whose
      and (in_state is null or m.state = in_state)
      and (of_feed is null or m.feed = of_feed)
      and (with_codes is null or m.code = any(with_codes))
      and (since is null or m.movement_id >= first_id(since))
      and (until is null or m.movement_id < first_id(until))
      and (on_task is null or m.destination_id = on_task)
      and (of_order is null or (m.feed, m.source_id) in (
              select n.feed, n.source_id from named_orders n
              where n.connection_id = whose and n.order_number = of_order))
$$;
