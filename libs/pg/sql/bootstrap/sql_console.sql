-- The history of the SQL console. The role its statements run as reads the history and adds to it
-- by this function, and changes nothing that is there.

-- Keeps what was run: {query, success, is_read_only, execution_time, row_count, error, user_id}.
-- The latest thousand stay, of long statements the beginning.
create or replace function selfdb.keep_sql_history(entry jsonb) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    insert into selfdb.sql_history
        (query, success, is_read_only, execution_time, row_count, error, user_id)
    select left(e.query, 100000), e.success, e.is_read_only, e.execution_time, e.row_count,
           e.error, e.user_id
      from jsonb_to_record(entry) as e(query text, success boolean, is_read_only boolean,
                                       execution_time double precision, row_count bigint,
                                       error text, user_id text);
    delete from selfdb.sql_history h
     where h.id <= (select o.id from selfdb.sql_history o order by o.id desc offset 1000 limit 1)
$$;

revoke all on function selfdb.keep_sql_history(jsonb) from public;
grant execute on function selfdb.keep_sql_history(jsonb) to service_role;
