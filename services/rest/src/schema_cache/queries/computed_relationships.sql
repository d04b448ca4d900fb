select coalesce(json_agg(json_build_object(
         'function', json_build_object('schema', n.nspname, 'name', p.proname),
         'table', json_build_object('schema', cn.nspname, 'name', c.relname),
         'foreign_table', json_build_object('schema', fn.nspname, 'name', f.relname),
         'single', not p.proretset or p.prorows = 1
       ) order by n.nspname, p.proname, cn.nspname, c.relname), '[]')::text
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join pg_catalog.pg_class c on c.reltype = p.proargtypes[0]
  join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
  join pg_catalog.pg_class f on f.reltype = p.prorettype
  join pg_catalog.pg_namespace fn on fn.oid = f.relnamespace
 where p.prokind = 'f'
   and p.pronargs = 1
   and c.relkind in ('r', 'v', 'm', 'f', 'p')
   and f.relkind in ('r', 'v', 'm', 'f', 'p')
   and n.nspname = any($1)
   and cn.nspname = any($1)
   and fn.nspname = any($1)
