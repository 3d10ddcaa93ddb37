-- Since when a job fails with the code it shows: an announced maintenance is no error for some hours.
alter table jobs add column code_since timestamptz;
