-- What functions find in their environment beside what the platform grants. Values are sealed with
-- a key that is not in this database.

create table functions.environment (
    id uuid primary key default gen_random_uuid(),
    function_id uuid references functions.functions on delete cascade,
    name text not null check (name ~ '^[A-Za-z_][A-Za-z0-9_]{0,255}$'),
    sealed bytea not null,
    is_secret boolean not null default true,
    updated_at timestamptz not null default now()
);
comment on column functions.environment.function_id is 'Null: every function finds it';
create unique index environment_of_project on functions.environment (name)
    where function_id is null;
create unique index environment_of_function on functions.environment (function_id, name)
    where function_id is not null;
create trigger note_change after insert or update or delete on functions.environment
    for each statement execute function functions.note_change();
