-- Registrations that keep failing leave one row for each resource, with the count of its failures, and each
-- registration remembers the public address it was made with: null for those of before.
alter table webhooks
    add column public_url text,
    add column failures   integer not null default 0;

update webhooks counted
set failures = (select count(*) from webhooks of_it
                where of_it.connection_id = counted.connection_id and of_it.resource_gid = counted.resource_gid
                  and of_it.state = 'failed')
where counted.state = 'failed';

delete from webhooks earlier using webhooks newer
where newer.connection_id = earlier.connection_id and newer.resource_gid = earlier.resource_gid
  and newer.webhook_id > earlier.webhook_id and newer.state = 'failed' and earlier.state = 'failed';
