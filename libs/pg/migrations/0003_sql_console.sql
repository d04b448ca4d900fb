-- What administration keeps of its SQL: statements saved under a name, and what was run.

create table selfdb.sql_snippets (
    id uuid primary key default gen_random_uuid(),
    name text not null check (char_length(name) between 1 and 100),
    sql_code text not null check (char_length(sql_code) between 1 and 100000),
    description text,
    is_shared boolean not null default false,
    created_by text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on column selfdb.sql_snippets.created_by is
    'The administrator''s user id, null for the service role''s key';
comment on column selfdb.sql_snippets.is_shared is 'Whether every administrator sees it';

create table selfdb.sql_history (
    id bigint generated always as identity primary key,
    query text not null,
    success boolean not null,
    is_read_only boolean not null,
    execution_time double precision not null,
    row_count bigint not null,
    error text,
    user_id text,
    executed_at timestamptz not null default now()
);
create index sql_history_by_user on selfdb.sql_history (user_id, id);
comment on column selfdb.sql_history.execution_time is 'In seconds';

grant select, insert, update, delete on selfdb.sql_snippets to service_role;
grant select on selfdb.sql_history to service_role;
