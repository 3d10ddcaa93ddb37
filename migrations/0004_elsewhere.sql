-- Whether a completed task, when it was last read, stood in none of the projects of the connection: somebody may have
-- moved it.
alter table completions add column elsewhere boolean not null default false;
