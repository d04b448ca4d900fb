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

-- REST's cache of the schema is told which objects changed, as `changed class:object …` in numbers of
-- pg_depend; or, where that is not enough or too long for a message, what PostgREST's is told: to
-- read all of it. GRANT and REVOKE do not say on what: `changed` alone.
create or replace function selfdb.announce_change(objects text[], everything boolean) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    payload text := concat_ws(' ', 'changed', array_to_string(objects, ' '));
begin
    if everything or length(payload) > 7900 then
        payload := 'reload schema';
    end if;
    perform pg_notify('pgrst', payload);
end
$$;

create or replace function selfdb.on_schema_change() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    changed record;
begin
    select array_agg(distinct c.classid || ':' || c.objid) filter (where c.objid is not null)
               as objects,
           -- What a schema or an extension holds does not depend on its name, and a table that
           -- ceases to be a partition does not say so.
           coalesce(bool_or(c.classid in ('pg_namespace'::regclass, 'pg_extension'::regclass)
                    or tg_tag = 'ALTER TABLE' and exists (
                      select from pg_class r
                       where c.classid = 'pg_class'::regclass
                         and r.oid = c.objid and r.relkind = 'p')), false) as everything,
           count(*) as count
      into changed
      from pg_event_trigger_ddl_commands() c
     where c.schema_name is distinct from 'pg_temp';
    if changed.count > 0 then
        perform selfdb.announce_change(changed.objects, changed.everything);
    end if;
end
$$;

create or replace function selfdb.on_schema_drop() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    dropped record;
begin
    -- Of what belongs to a table that stays, the table is told.
    select array_agg(distinct coalesce('pg_class'::regclass::oid || ':' || d.owner::oid,
                                       d.classid || ':' || d.objid)) as objects,
           bool_or(d.classid in ('pg_namespace'::regclass, 'pg_extension'::regclass))
               as everything,
           count(*) as count
      into dropped
      from (
        select o.classid, o.objid,
               case when o.object_type in ('table constraint', 'trigger', 'rule', 'policy',
                                           'default value')
                    then to_regclass(format('%I.%I', o.address_names[1], o.address_names[2]))
                    end as owner
          from pg_event_trigger_dropped_objects() o
         where not o.is_temporary
           and o.object_type not in ('toast table', 'toast table column', 'index')) d;
    if dropped.count > 0 then
        perform selfdb.announce_change(dropped.objects, dropped.everything);
    end if;
end
$$;

revoke all on function selfdb.protect_view(regclass), selfdb.on_ddl_command_end(),
    selfdb.on_sql_drop(), selfdb.announce_change(text[], boolean), selfdb.on_schema_change(),
    selfdb.on_schema_drop() from public;

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
    execute function selfdb.on_schema_change();

drop event trigger if exists pgrst_drop_watch;
create event trigger pgrst_drop_watch on sql_drop
    execute function selfdb.on_schema_drop();
