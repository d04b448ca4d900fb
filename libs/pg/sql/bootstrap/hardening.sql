-- What Postgres gives to everybody and the API's roles must not have: large objects, which no
-- row-level security covers; functions that run SQL given as text, end other sessions or write to
-- the replication stream; writes to the catalogue.

do $$
declare
    open record;
begin
    for open in
        select p.oid::regprocedure as signature
          from pg_proc p
         where p.pronamespace = 'pg_catalog'::regnamespace
           and (p.proname like 'lo\_%' or p.proname in (
                   'loread', 'lowrite', 'pg_cancel_backend', 'pg_terminate_backend',
                   'pg_logical_emit_message', 'query_to_xml', 'query_to_xmlschema',
                   'query_to_xml_and_xmlschema', 'cursor_to_xml', 'cursor_to_xmlschema',
                   'table_to_xml', 'table_to_xmlschema', 'table_to_xml_and_xmlschema',
                   'schema_to_xml', 'schema_to_xmlschema', 'schema_to_xml_and_xmlschema',
                   'database_to_xml', 'database_to_xmlschema',
                   'database_to_xml_and_xmlschema'))
           and (p.proacl is null or exists (
                   select from aclexplode(p.proacl) a where a.grantee = 0))
    loop
        execute format('revoke execute on function %s from public', open.signature);
    end loop;

    for open in
        select distinct c.oid::regclass as relation
          from pg_class c, aclexplode(c.relacl) a
         where c.relnamespace = 'pg_catalog'::regnamespace
           and a.grantee in (0, 'anon'::regrole, 'authenticated'::regrole,
                             'service_role'::regrole)
           and a.privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
    loop
        execute format('revoke insert, update, delete, truncate on %s '
            'from public, anon, authenticated, service_role', open.relation);
    end loop;

    -- Services write to the replication stream and end sessions of their own; what a request may
    -- do of that is their decision.
    for open in
        select p.oid::regprocedure as signature
          from pg_proc p
         where p.pronamespace = 'pg_catalog'::regnamespace
           and p.proname in ('pg_cancel_backend', 'pg_terminate_backend',
                             'pg_logical_emit_message')
    loop
        execute format('grant execute on function %s to supabase_auth_admin, '
            'supabase_storage_admin, supabase_realtime_admin, supabase_functions_admin',
            open.signature);
    end loop;
end
$$;
