-- The newest movement that stands for a record in place of one that failed: of the same record, opened later, and ended.
-- Delivered it settles what failed; failed or held it needs a person itself. What was superseded stands for nothing. The
-- movements of one record that go to several tasks are opened at one moment, so none of them stands for another.
--
-- What is later is told by the database's clock; the ids, by two hours at most from a node's that is wrong, only bound the
-- months that are looked at. Every count of what still needs somebody asks this function, so that all agree.
create function settled_by(whose uuid, of_feed text, of_source text, opened timestamptz)
returns setof uuid language sql stable as $$
    select n.movement_id from movements n
    where n.connection_id = whose and n.source_id = of_source and n.feed = of_feed
      and n.movement_id >= first_id(opened - interval '2 hours') and n.created_at > opened
      and n.state in ('delivered', 'failed', 'held') and n.outcome is distinct from 'superseded'
    order by n.movement_id desc limit 1
$$;
