-- Schemas and their owners, and who may look into them.

do $$
declare
    wanted record;
begin
    for wanted in
        select * from (values
            ('auth',       'supabase_auth_admin'),
            ('storage',    'supabase_storage_admin'),
            ('realtime',   'supabase_realtime_admin'),
            ('functions',  'supabase_functions_admin'),
            ('extensions', current_user),
            ('selfdb',     current_user)
        ) as schema (name, owner)
    loop
        if to_regnamespace(wanted.name) is null then
            execute format('create schema %I', wanted.name);
        end if;
        if (select nspowner from pg_namespace where nspname = wanted.name)
            <> wanted.owner::regrole
        then
            execute format('alter schema %I owner to %I', wanted.name, wanted.owner);
        end if;
    end loop;
end
$$;

revoke create on schema public from public;
grant usage on schema public, extensions to anon, authenticated, service_role;
grant usage on schema auth, storage, realtime to anon, authenticated, service_role;
grant usage on schema auth, extensions, selfdb
   to supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin,
      supabase_functions_admin;
grant usage on schema selfdb to service_role;

-- What is made in `public` by those who make tables there belongs to the API, under row-level
-- security; TRUNCATE does not ask row-level security, so nobody reached by the API has it.
do $$
declare
    creator text;
begin
    foreach creator in array array[current_user::text, 'supabase_admin']
    loop
        execute format('alter default privileges for role %I in schema public '
            'grant all on tables to anon, authenticated, service_role', creator);
        execute format('alter default privileges for role %I in schema public '
            'revoke truncate on tables from anon, authenticated, service_role', creator);
        execute format('alter default privileges for role %I in schema public '
            'grant all on sequences to anon, authenticated, service_role', creator);
        execute format('alter default privileges for role %I in schema public '
            'grant all on routines to anon, authenticated, service_role', creator);
    end loop;
end
$$;

do $$
begin
    if not exists (select from pg_publication where pubname = 'supabase_realtime') then
        create publication supabase_realtime;
    end if;
end
$$;

-- Conveniences users' migrations expect; the platform needs neither.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['uuid-ossp', 'pgcrypto']
    loop
        if exists (select from pg_available_extensions where name = wanted) then
            execute format('create extension if not exists %I with schema extensions', wanted);
        end if;
    end loop;
exception when others then
    raise notice 'extensions are not installed: %', sqlerrm;
end
$$;
