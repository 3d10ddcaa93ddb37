-- A fence for each journal: goes up with every claim, and a step counts only under the number of the newest claim.
-- A journal that is claimed twice at once, for whatever reason, is sent by one of them at most.
alter table journals add column turn bigint not null default 0;
