-- Functions and every version of their code. A version never changes: another code is another one.

create table functions.functions (
    id uuid primary key default gen_random_uuid(),
    name text not null unique check (name ~ '^[A-Za-z][A-Za-z0-9_-]{0,99}$'),
    description text not null default '',
    is_active boolean not null default true,
    verify_jwt boolean,
    folder_hash text,
    version integer not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on column functions.functions.version is 'The version that serves';
comment on column functions.functions.verify_jwt is 'Null: what config.toml or FUNCTIONS_VERIFY_JWT says';
comment on column functions.functions.folder_hash is
    'What the functions folder last held of it: the folder is heard again when it holds something else';

create table functions.versions (
    function_id uuid not null references functions.functions on delete cascade,
    number integer not null check (number > 0),
    hash text not null,
    entry text not null,
    origin text not null check (origin in ('folder', 'api')),
    created_by text,
    created_at timestamptz not null default now(),
    primary key (function_id, number)
);
alter table functions.functions
    add constraint functions_version_exists foreign key (id, version)
    references functions.versions (function_id, number) deferrable initially deferred;

create table functions.files (
    function_id uuid not null,
    number integer not null,
    path text not null check (path <> ''),
    content bytea not null,
    primary key (function_id, number, path),
    foreign key (function_id, number) references functions.versions on delete cascade
);

-- Grows with every change that a node has to hear of.
create table functions.revision (
    only_row boolean primary key default true check (only_row),
    number bigint not null
);
insert into functions.revision (number) values (1);

create function functions.note_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    update functions.revision set number = number + 1;
    return null;
end
$$;
create trigger note_change after insert or update or delete on functions.functions
    for each statement execute function functions.note_change();

create function functions.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'a version of a function never changes';
end
$$;
create trigger never_changes before update on functions.versions
    for each row execute function functions.refuse_change();
create trigger never_changes before update on functions.files
    for each row execute function functions.refuse_change();
