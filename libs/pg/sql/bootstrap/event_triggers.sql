-- What happens by itself when the schema changes.

-- New tables of schema public are protected from the start; tables left without protection lose
-- their grants; views see no more than their reader does; relations that cannot have row-level
-- security are exposed only by an explicit grant.
create or replace function selfdb.on_ddl_command_end() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    changed record;
    exposed record;
begin
    for changed in
        select c.command_tag, c.objid::regclass as relation, r.relkind, r.reloptions
          from pg_event_trigger_ddl_commands() c
          join pg_class r
            on r.oid = c.objid and c.classid = 'pg_class'::regclass
         where not c.in_extension and r.relnamespace = 'public'::regnamespace
    loop
        if changed.relkind in ('r', 'p') then
            if changed.command_tag in ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO') then
                execute format('alter table %s enable row level security',
                                          changed.relation);
            end if;
            perform selfdb.review_grants(changed.relation);
        elsif changed.relkind = 'v' then
            if not exists (select from unnest(changed.reloptions) as option
                            where option like 'security\_invoker=%') then
                perform selfdb.protect_view(changed.relation);
            end if;
        elsif changed.relkind in ('m', 'f') then
            perform selfdb.withhold_grants(changed.relation);
            delete from selfdb.withheld_grants w where w.relation = changed.relation;
        end if;
    end loop;

    -- GRANT does not say on what: every table it may have opened is due.
    if tg_tag = 'GRANT' then
        for exposed in
            select c.oid::regclass as relation
              from pg_class c
             where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
               and (exists (select from aclexplode(c.relacl) a
                             where a.privilege_type = 'TRUNCATE' and a.grantee <> c.relowner)
                    or not c.relrowsecurity and (c.relacl is not null or exists (
                       select from pg_attribute a
                        where a.attrelid = c.oid and a.attacl is not null)))
        loop
            perform selfdb.review_grants(exposed.relation);
        end loop;
    end if;
end
$$;

-- A view reads as its reader (Postgres 15 and later); before that it is not exposed by itself.
create or replace function selfdb.protect_view(relation regclass) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if current_setting('server_version_num')::int >= 150000 then
        execute format('alter view %s set (security_invoker = true)', relation);
    else
        execute format('revoke all on %s from public, anon, authenticated', relation);
    end if;
end
$$;

create or replace function selfdb.on_sql_drop() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    delete from selfdb.tables t
     using pg_event_trigger_dropped_objects() d
     where d.classid = 'pg_class'::regclass and d.objsubid = 0
       and t.relation = d.objid;
    delete from selfdb.withheld_grants w
     using pg_event_trigger_dropped_objects() d
     where d.classid = 'pg_class'::regclass and d.objsubid = 0
       and w.relation = d.objid;
end
$$;

-- REST's cache of the schema is told what PostgREST's is told, in the same words.
create or replace function selfdb.on_schema_change() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (select from pg_event_trigger_ddl_commands() c
                where c.schema_name is distinct from 'pg_temp') then
        notify pgrst, 'reload schema';
    end if;
end
$$;

create or replace function selfdb.on_schema_drop() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (select from pg_event_trigger_dropped_objects() d
                where not d.is_temporary
                  and d.object_type in ('schema', 'table', 'table column', 'table constraint',
                                        'foreign table', 'view', 'materialized view', 'function',
                                        'procedure', 'aggregate', 'trigger', 'type', 'domain',
                                        'cast', 'rule')) then
        notify pgrst, 'reload schema';
    end if;
end
$$;

revoke all on function selfdb.protect_view(regclass), selfdb.on_ddl_command_end(),
    selfdb.on_sql_drop(), selfdb.on_schema_change(), selfdb.on_schema_drop() from public;

drop event trigger if exists selfdb_ddl_command_end;
create event trigger selfdb_ddl_command_end on ddl_command_end
    when tag in ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE', 'CREATE VIEW',
                 'ALTER VIEW', 'CREATE MATERIALIZED VIEW', 'CREATE FOREIGN TABLE',
                 'IMPORT FOREIGN SCHEMA', 'GRANT')
    execute function selfdb.on_ddl_command_end();

drop event trigger if exists selfdb_sql_drop;
create event trigger selfdb_sql_drop on sql_drop
    execute function selfdb.on_sql_drop();

drop event trigger if exists pgrst_ddl_watch;
create event trigger pgrst_ddl_watch on ddl_command_end
    when tag in ('CREATE SCHEMA', 'ALTER SCHEMA', 'CREATE TABLE', 'CREATE TABLE AS',
                 'SELECT INTO', 'ALTER TABLE', 'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE',
                 'IMPORT FOREIGN SCHEMA', 'CREATE VIEW', 'ALTER VIEW',
                 'CREATE MATERIALIZED VIEW', 'ALTER MATERIALIZED VIEW', 'CREATE FUNCTION',
                 'ALTER FUNCTION', 'CREATE PROCEDURE', 'ALTER PROCEDURE', 'CREATE AGGREGATE',
                 'ALTER AGGREGATE', 'CREATE TRIGGER', 'CREATE TYPE', 'ALTER TYPE',
                 'CREATE DOMAIN', 'ALTER DOMAIN', 'CREATE CAST', 'CREATE RULE', 'CREATE INDEX',
                 'COMMENT', 'GRANT', 'REVOKE')
    execute function selfdb.on_schema_change();

drop event trigger if exists pgrst_drop_watch;
create event trigger pgrst_drop_watch on sql_drop
    execute function selfdb.on_schema_drop();
