-- What a row of the journal costs is its indexes: three of them took ten times what the row took.
-- Rows of a function come in the order of their time, so one that leads with both stays cheap; ids
-- are looked for within it, by the time they tell (RFC 9562, version 7).

alter table functions.executions drop constraint executions_pkey;
drop index functions.executions_of_function;
alter table functions.executions add primary key (function, started_at, id);

drop index functions.executions_by_age;
create index executions_by_age on functions.executions using brin (started_at)
    with (pages_per_range = 32, autosummarize = true);
