-- A movement that is sent again with other content, since its record has changed, keeps what was sent before: the write
-- may have arrived. Each with its time, oldest first.
alter table movements add column earlier_requests text;
