select coalesce(json_agg(json_build_array(r.rolname, s.name, s.value)
                         order by o.setdatabase), '[]')::text
  from pg_catalog.pg_db_role_setting o
  join pg_catalog.pg_roles r on r.oid = o.setrole
 cross join lateral (
   select split_part(line, '=', 1) as name, substr(line, strpos(line, '=') + 1) as value
     from unnest(o.setconfig) line) s
  join pg_catalog.pg_settings g on g.name = s.name and g.context = 'user'
 where o.setdatabase in (0, (
         select oid from pg_catalog.pg_database where datname = current_database()))
   and (pg_has_role(r.oid, 'member') or not (r.rolcanlogin or r.rolsuper))
