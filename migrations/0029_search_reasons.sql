-- Parts of texts that what is looked for must show, as patterns of LIKE: each word that was asked for. Whoever has its words
-- has these too, and they cost a hundredth of taking the words of a reason.
create function search_parts(said text) returns text[] language sql immutable parallel safe as $$
    select coalesce(array_agg('%' || left(w, 60) || '%'), '{}')
    from regexp_split_to_table(lower(left(said, 400)), '[^[:alnum:]]+') w where w <> ''
$$;
