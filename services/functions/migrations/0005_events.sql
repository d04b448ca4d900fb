-- What happens to functions, as events of the platform for administrators (libs/pg: events).

create function functions.tell_deployed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'DELETE' then
        perform pg_logical_emit_message(true, 'selfdb.event', json_build_object(
            'event', 'function.deleted', 'payload', json_build_object('function', old.name))::text);
    else
        perform pg_logical_emit_message(true, 'selfdb.event', json_build_object(
            'event', 'function.deployed',
            'payload', json_build_object('function', new.name, 'version', new.version))::text);
    end if;
    return null;
end
$$;
create trigger tell_deployed after update of version or delete on functions.functions
    for each row execute function functions.tell_deployed();

-- Executions are written down many at once: one event a function, with the last of them.
create function functions.tell_failed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_logical_emit_message(true, 'selfdb.event', json_build_object(
            'event', 'function.failed',
            'payload', json_build_object('function', failed.function, 'version', failed.version,
                'outcome', failed.outcome, 'execution_id', failed.id, 'times', failed.times))::text)
       from (select distinct on (function) function, version, outcome, id,
                    count(*) over (partition by function) as times
               from made where outcome in ('error', 'failed')
              order by function, started_at desc) failed;
    return null;
end
$$;
create trigger tell_failed after insert on functions.executions
    referencing new table as made
    for each statement execute function functions.tell_failed();
