-- Erasing what names a supplier or a person: the search for it, and the action that tells of it.

-- Whether a text names somebody. plain are the names as they can stand in it, in lower case, which are looked for first;
-- pattern then says that they stand there as whole words.
create function says(said text, plain text[], pattern text) returns boolean language sql immutable parallel safe as $$
    -- materialized: a long text is brought to lower case once, not for each name
    with small as materialized (select lower(said) as text)
    select case when exists (select from small, unnest(plain) p where strpos(small.text, p) > 0)
                then (select text ~ pattern from small) else false end
$$;

-- The text of a message that was sent about alerts; null where it is not JSON: a mail, whose text is encoded.
create function message_text(body bytea) returns text language sql immutable parallel safe as $$
    select case when substring(body from 1 for 1) = '{'::bytea then convert_from(body, 'UTF8') end
$$;

-- An erasure is an action on the connection.
alter table actions drop constraint actions_subject_kind_check;
alter table actions add constraint actions_subject_kind_check check (subject_kind in
    ('movement', 'journal', 'connection'));
alter table actions drop constraint actions_what_check;
alter table actions add constraint actions_what_check check (what in
    ('edited', 'replayed', 'discarded', 'resolved', 'erased'));

-- By words only what is stored is found.
delete from searched s where not exists (
    select from documents d where d.connection_id = s.connection_id and d.feed = s.feed and d.source_id = s.source_id);
