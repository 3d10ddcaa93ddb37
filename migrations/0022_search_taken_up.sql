-- Search without looking into records: what people look for is stored with the document when it is read, and its words are
-- taken up afterwards, page by page, from a list of the pages that were stored.

drop trigger documents_searched on documents;
drop function search_anew();

alter table documents
    add column supplier        text,
    add column supplier_number text,
    add column invoice_number  text;
update documents d set (supplier, invoice_number) = (
    select s.supplier, s.invoice_number
    from searched_of(d.connection_id, d.feed, d.source_id, d.order_number, d.body) s);

drop function searched_of(uuid, text, text, text, text);
drop function search_field(text, text);
drop table searched, search_reach;

-- By which words a record is found. A table of its own and narrow, so that very many hits are few pages, and so that a
-- first reading does not wait for its indexes. The words begin with the last digits of the connection's id; those of a
-- supplier have the weight A, an invoice's own number B, all others C.
create table searched (
    connection_id uuid        not null,
    feed          text        not null,
    source_id     text        not null,
    -- when the record last changed
    changed_at    timestamptz not null,
    words         tsvector    not null,
    primary key (connection_id, feed, source_id)
);
create index searched_words on searched using gin (words);
-- what fits very many records is looked for among the newest
create index searched_newest on searched (connection_id, changed_at);

-- Stored pages whose words are not yet taken up: a row for each page, deleted by the transaction that takes them up.
create table unsearched (
    connection_id uuid        not null,
    page_id       uuid        not null,
    feed          text        not null,
    source_ids    text[]      not null,
    stored_at     timestamptz not null default now(),
    primary key (connection_id, page_id)
);
insert into unsearched (connection_id, page_id, feed, source_ids, stored_at)
select connection_id, new_movement_id(), feed, array_agg(source_id), max(stored_at)
from (select connection_id, feed, source_id, stored_at,
             (row_number() over (partition by connection_id, feed order by stored_at) - 1) / 500 as page from documents) d
group by connection_id, feed, page order by max(stored_at);

-- What is not delivered, the newest first, for reasons that very many share.
create index movements_undelivered on movements (connection_id, movement_id)
    where reason is not null and state in ('held', 'failed', 'retrying', 'in_doubt');
-- The way from a task to what was written to it.
create index movements_task on movements (connection_id, destination_id, movement_id) where destination_id is not null;

-- As before, but an order is looked up before its movements are: the log is not read for it.
create or replace function filtered_movements(whose uuid, in_state text, of_feed text, with_codes text[], since timestamptz,
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
      and (of_order is null or m.source_id = any(array(
              select n.source_id from named_orders n where n.connection_id = whose and n.order_number = of_order))
           and (m.feed, m.source_id) in (
              select n.feed, n.source_id from named_orders n
              where n.connection_id = whose and n.order_number = of_order))
$$;

-- What it costs, so that the planner asks the index over words and does not take the words of every reason again.
alter function search_words(uuid, text) cost 5000;
