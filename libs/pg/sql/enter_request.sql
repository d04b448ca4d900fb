select set_config('request.jwt.claims', $1, true),
       set_config('request.method', $2, true),
       set_config('request.path', $3, true),
       set_config('request.headers', $4, true),
       set_config('request.cookies', $5, true),
       set_config('statement_timeout', coalesce($6, (
           select split_part(setting, '=', 2)
             from pg_catalog.pg_db_role_setting r
             join pg_catalog.pg_roles o on o.oid = r.setrole
            cross join unnest(r.setconfig) setting
            where o.rolname = $8
              and setting like 'statement_timeout=%'
              and (r.setdatabase = 0 or r.setdatabase = (
                   select oid from pg_catalog.pg_database where datname = current_database()))
            order by r.setdatabase desc
            limit 1), $7), true),
       set_config('role', $8, true)
