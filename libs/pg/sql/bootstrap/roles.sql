-- Roles, what they are members of, and their limits. Runs again at every start: attributes and
-- memberships are put right, settings an operator has changed are left alone.

do $$
declare
    wanted record;
begin
    for wanted in
        select * from (values
            ('anon',                     'nologin nobypassrls inherit noreplication'),
            ('authenticated',            'nologin nobypassrls inherit noreplication'),
            ('service_role',             'nologin bypassrls inherit noreplication'),
            ('authenticator',            'login nobypassrls noinherit noreplication'),
            ('service_authenticator',    'login nobypassrls noinherit noreplication'),
            ('supabase_auth_admin',      'login nobypassrls noinherit noreplication'),
            ('supabase_storage_admin',   'login nobypassrls noinherit noreplication'),
            ('supabase_realtime_admin',  'login nobypassrls noinherit replication'),
            ('supabase_functions_admin', 'login nobypassrls noinherit noreplication'),
            -- Functions hold the service role's key already. So many connections, and no more: the
            -- platform's own must have room.
            ('function_client',          'login bypassrls inherit noreplication connection limit 30'),
            ('supabase_admin',           'nologin nobypassrls inherit noreplication'),
            ('dashboard_user',           'nologin nobypassrls inherit noreplication')
        ) as role (name, attributes)
    loop
        if to_regrole(wanted.name) is null then
            execute format('create role %I', wanted.name);
        end if;
        execute format('alter role %I with nosuperuser nocreatedb nocreaterole %s',
                       wanted.name, wanted.attributes);
    end loop;
end
$$;

-- The login of the pool for anon and users must have no way to become service_role.
do $$
declare
    held record;
begin
    for held in
        select granted.rolname as granted, member.rolname as member
          from pg_auth_members m
          join pg_roles granted on granted.oid = m.roleid
          join pg_roles member on member.oid = m.member
         where member.rolname in ('anon', 'authenticated', 'authenticator')
           and (granted.rolsuper or granted.rolbypassrls or granted.rolname = 'service_authenticator')
            or member.rolname in ('supabase_auth_admin', 'supabase_storage_admin',
                                  'supabase_realtime_admin', 'supabase_functions_admin')
    loop
        execute format('revoke %I from %I', held.granted, held.member);
    end loop;
end
$$;

grant anon, authenticated to authenticator;
grant service_role to service_authenticator;
grant anon, authenticated, service_role to function_client;

do $$
declare
    wanted record;
begin
    for wanted in
        select * from (values
            ('anon',                     'statement_timeout', '3s'),
            ('authenticated',            'statement_timeout', '8s'),
            ('service_role',             'statement_timeout', '1min'),
            ('authenticator',            'statement_timeout', '8s'),
            ('authenticator',            'lock_timeout', '8s'),
            ('authenticator',            'idle_in_transaction_session_timeout', '1min'),
            ('service_authenticator',    'statement_timeout', '1min'),
            ('service_authenticator',    'idle_in_transaction_session_timeout', '1min'),
            ('function_client',          'statement_timeout', '1min'),
            ('function_client',          'lock_timeout', '10s'),
            ('function_client',          'idle_in_transaction_session_timeout', '1min'),
            ('supabase_auth_admin',      'idle_in_transaction_session_timeout', '1min'),
            ('supabase_auth_admin',      'search_path', 'auth'),
            ('supabase_storage_admin',   'idle_in_transaction_session_timeout', '1min'),
            ('supabase_storage_admin',   'search_path', 'storage'),
            ('supabase_realtime_admin',  'idle_in_transaction_session_timeout', '1min'),
            ('supabase_realtime_admin',  'search_path', 'realtime'),
            ('supabase_functions_admin', 'idle_in_transaction_session_timeout', '1min'),
            ('supabase_functions_admin', 'search_path', 'functions')
        ) as setting (role, name, value)
    loop
        if not exists (
            select from pg_db_role_setting s, unnest(s.setconfig) as entry
             where s.setrole = wanted.role::regrole and s.setdatabase = 0
               and split_part(entry, '=', 1) = wanted.name
        ) then
            execute format('alter role %I set %I = %L', wanted.role, wanted.name, wanted.value);
        end if;
    end loop;
    -- What requests of the default schema set for themselves: where it is so already, Postgres need
    -- not look the schemas up once a request.
    for wanted in
        select * from (values ('authenticator'), ('service_authenticator'), ('function_client')) as login (role)
         where not exists (
            select from pg_db_role_setting s, unnest(s.setconfig) as entry
             where s.setrole = login.role::regrole and s.setdatabase = 0
               and split_part(entry, '=', 1) = 'search_path')
    loop
        execute format('alter role %I set search_path = public, extensions', wanted.role);
    end loop;
end
$$;
