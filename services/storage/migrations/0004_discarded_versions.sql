-- Bytes that nothing refers to any more. Written in the transaction that lets go of them, whoever
-- runs it; the sweeper deletes the bytes afterwards and then the row. So a crash at any point
-- leaves bytes too many, never too few.

create table storage.discarded_versions (
    version text primary key,
    discarded_at timestamptz not null default now()
);

alter table storage.discarded_versions enable row level security;

create function storage.discard_replaced_version() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    insert into storage.discarded_versions (version) values (old.version)
    on conflict (version) do nothing;
    return null;
end
$$;

create function storage.discard_deleted_versions() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    insert into storage.discarded_versions (version)
    select gone.version from gone where gone.version is not null
    on conflict (version) do nothing;
    return null;
end
$$;

create trigger discard_replaced_version
    after update of version on storage.objects
    for each row
    when (old.version is distinct from new.version and old.version is not null)
    execute function storage.discard_replaced_version();

create trigger discard_deleted_versions
    after delete on storage.objects
    referencing old table as gone
    for each statement
    execute function storage.discard_deleted_versions();

revoke execute on function storage.discard_replaced_version() from public;
revoke execute on function storage.discard_deleted_versions() from public;

-- Ties the database to the directory or bucket that holds its bytes: a sweep by another database's
-- rows would take every file for an orphan.
create table storage.installation (
    id uuid primary key default gen_random_uuid(),
    one boolean not null default true unique check (one)
);

alter table storage.installation enable row level security;

insert into storage.installation default values;
