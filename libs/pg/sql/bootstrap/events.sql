-- Platform events: appended by services, read by function triggers.

create or replace function selfdb.emit_event(name text, payload jsonb default '{}')
returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
    insert into selfdb.events (name, payload) values ($1, $2) returning id
$$;
revoke all on function selfdb.emit_event(text, jsonb) from public;
grant execute on function selfdb.emit_event(text, jsonb)
   to service_role, supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin,
      supabase_functions_admin;
