select split_part(line, '=', 1), substr(line, strpos(line, '=') + 1)
  from pg_catalog.pg_db_role_setting o
 cross join unnest(o.setconfig) line
 where o.setrole = current_user::regrole::oid
   and o.setdatabase in (0, (
         select oid from pg_catalog.pg_database where datname = current_database()))
   and line like 'pgrst.%'
 order by o.setdatabase
