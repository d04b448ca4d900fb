-- What functions did and said. Neither table refers to the other, or to what there is of functions
-- now: both outlive that, and rows come in batches that may overtake each other.

create table functions.executions (
    id uuid primary key,
    function text not null,
    version text not null,
    trigger text not null,
    event_id uuid,
    source text,
    method text not null,
    status integer,
    outcome text not null,
    error text,
    cold boolean not null,
    started_at timestamptz not null,
    duration_ms double precision not null,
    cpu_ms double precision,
    memory_bytes bigint
);
comment on column functions.executions.event_id is 'The event that caused it; the same at every try';
comment on column functions.executions.source is 'The schedule, table, event or webhook of the trigger';
comment on column functions.executions.cpu_ms is
    'Share of the process'' CPU time: what several invocations used at once is split evenly';
create index executions_of_function on functions.executions (function, started_at desc);
create index executions_by_age on functions.executions (started_at);
create index executions_of_event on functions.executions (event_id) where event_id is not null;

create table functions.logs (
    id bigint generated always as identity primary key,
    function text not null,
    version text not null,
    execution_id uuid,
    level text not null check (level in ('debug', 'info', 'warn', 'error')),
    message text not null,
    logged_at timestamptz not null
);
comment on column functions.logs.execution_id is 'Null for what was printed outside of any invocation';
create index logs_of_function on functions.logs (function, id desc);
create index logs_of_execution on functions.logs (execution_id) where execution_id is not null;
create index logs_by_age on functions.logs (logged_at);
