-- The way from a record to what was done about it. It does not begin with the feed, so that a claim, which looks for
-- pending movements in the order of feed and id, has no wrong index to choose.
create index movements_record on movements (connection_id, source_id, movement_id);
