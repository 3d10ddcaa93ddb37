-- Search: the words by which people look for records, and what is found by its key alone.

-- The words of a text as a connection's own lexemes: lower-case runs of letters and digits, and of a word that mixes both
-- also each longer run of its digits, so that 165121 finds US165121. Each begins with the last digits of the connection's
-- id, so that an index over them is read for one connection alone. Nothing in a text can make this fail.
create function search_words(whose uuid, said text) returns text[] language sql immutable parallel safe as $$
    with words as (
        select left(w, 60) as word
        from regexp_split_to_table(lower(left(said, 4000)), '[^[:alnum:]]+') w where w <> '')
    select coalesce(array_agg(distinct right(whose::text, 6) || all_words.word), '{}')
    from (select word from words
          union all
          select digits[1] from words cross join regexp_matches(word, '[0-9]{3,}', 'g') digits
          where word ~ '[^0-9]') all_words
$$;

-- What asks for all the words of a text, each of which may be longer than what was typed; null asks for nothing.
create function search_query(whose uuid, said text) returns tsquery language sql immutable parallel safe as $$
    select string_agg(format('''%s%s'':*', right(whose::text, 6), left(w, 60)), ' & ')::tsquery
    from regexp_split_to_table(lower(left(said, 400)), '[^[:alnum:]]+') w where w <> ''
$$;

-- The text of the first field of that name in a record's JSON, whatever the rest of it is; null when there is none.
-- Escapes of JSON stay as they are where they cannot be read.
create function search_field(body text, field text) returns text language plpgsql immutable as $$
declare
    found text := substring(body from '"' || field || '"\s*:\s*("(?:[^"\\]|\\.)*"|[-+.0-9eE]+)');
begin
    if strpos(found, '\') > 0 then
        begin
            return found::json #>> '{}';
        exception when others then
            return btrim(found, '"');
        end;
    end if;
    return btrim(found, '"');
end $$;

-- By which words a record is found: its numbers, its supplier's name, and of an invoice its own number. A table of its
-- own, so that documents keeps one index only. Of new documents it is filled afterwards, so that a first reading does not
-- wait for it.
create table searched (
    connection_id  uuid     not null,
    feed           text     not null,
    source_id      text     not null,
    supplier       text,
    invoice_number text,
    words          tsvector not null,
    primary key (connection_id, feed, source_id)
);
-- Its lexemes begin with the connection.
create index searched_words on searched using gin (words);

-- Up to which movement the records of the log are in searched.
create table search_reach (
    connection_id uuid not null primary key references connections on delete cascade,
    movement_id   uuid not null
);

-- The row of a document.
create function searched_of(whose uuid, feed text, source_id text, numbers text, body text) returns setof searched
language sql immutable as $$
    select whose, feed, source_id, s.supplier, s.invoice_number,
           array_to_tsvector(search_words(whose, concat_ws(' ', source_id, numbers, s.supplier, s.invoice_number)))
    from (select search_field(body, 'Supplier') as supplier,
                 case when feed = 'invoices' then search_field(body, 'InvoiceNumber') end as invoice_number offset 0) s
$$;

-- What changes in a document changes its words with it, by the same statement.
create function search_anew() returns trigger language plpgsql as $$
begin
    insert into searched
    select s.* from stored d
    cross join lateral searched_of(d.connection_id, d.feed, d.source_id, d.order_number, d.body) s
    on conflict (connection_id, feed, source_id) do update
    set supplier = excluded.supplier, invoice_number = excluded.invoice_number, words = excluded.words
    where searched.words <> excluded.words or searched.supplier is distinct from excluded.supplier
       or searched.invoice_number is distinct from excluded.invoice_number;
    return null;
end $$;
create trigger documents_searched after update on documents
    referencing new table as stored for each statement execute function search_anew();

-- The words of reasons that a person may look for. Most movements have none.
create index movements_reason on movements using gin (array_to_tsvector(search_words(connection_id, reason)))
    where reason is not null and state in ('held', 'failed', 'retrying', 'in_doubt');
create index journals_reason on journals using gin (array_to_tsvector(search_words(connection_id, reason)))
    where reason is not null;
create index journals_batch on journals (connection_id, batch_id) where batch_id is not null;
create index journals_request on journals (connection_id, request_id) where request_id is not null;
