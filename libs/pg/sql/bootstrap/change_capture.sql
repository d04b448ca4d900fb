-- Which tables tell the functions service of their changes: those that a function's trigger names,
-- and no others. Only a superuser may put a trigger on any table, so this does it for that service.
-- A schema of the platform's own is never told row by row; of users, files and events only that
-- something happened (see functions.capture_user and its like).
create or replace function selfdb.reconcile_change_capture() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
    set lock_timeout = '2s'
as $$
declare
    wanted record;
    changed integer := 0;
begin
    if to_regclass('functions.triggers') is null
        or not pg_try_advisory_xact_lock(hashtextextended('selfdb.reconcile_change_capture', 0))
    then
        return 0;
    end if;
    for wanted in
        with asked as (
            select c.oid as relation, 'capture_change' as routine,
                   format('%L, %L', t.relation_schema, t.relation_name) as arguments
              from functions.triggers t
              join pg_namespace n on n.nspname = t.relation_schema
              join pg_class c on c.relnamespace = n.oid and c.relname = t.relation_name
             where t.kind = 'database' and c.relkind in ('r', 'p')
               and n.nspname not in ('auth', 'storage', 'realtime', 'functions', 'selfdb',
                                     'extensions', 'vault', 'cron', 'net', 'information_schema')
               and n.nspname not like 'pg\_%'
            union
            select to_regclass(p.relation), p.routine, ''
              from (values ('auth.users', 'capture_user', 'user.%'),
                           ('storage.objects', 'capture_file', 'file.%'),
                           ('selfdb.events', 'capture_event', '%')) as p (relation, routine, events)
             where to_regclass(p.relation) is not null
               and exists (select from functions.triggers t
                            where t.kind = 'event' and t.event like p.events)
        ), there as (
            select g.tgrelid as relation from pg_trigger g
             where g.tgname = 'selfdb_functions_capture' and not g.tgisinternal
               and g.tgparentid = 0
        )
        select coalesce(a.relation, t.relation)::regclass as relation, a.routine, a.arguments,
               t.relation is not null as exists
          from asked a full join there t on t.relation = a.relation
         where a.relation is null or t.relation is null
    loop
        begin
            if wanted.exists then
                execute format('drop trigger selfdb_functions_capture on %s', wanted.relation);
            else
                execute format('create trigger selfdb_functions_capture '
                    'after insert or update or delete on %s '
                    'for each row execute function functions.%I(%s)',
                    wanted.relation, wanted.routine, wanted.arguments);
            end if;
            changed := changed + 1;
        exception when lock_not_available then
            -- Somebody works on the table for long: the next round tries again.
            null;
        end;
    end loop;
    return changed;
end
$$;
revoke all on function selfdb.reconcile_change_capture() from public;
grant execute on function selfdb.reconcile_change_capture() to supabase_functions_admin;
