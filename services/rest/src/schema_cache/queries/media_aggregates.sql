select coalesce(json_agg(json_build_object(
         'function', json_build_object('schema', n.nspname, 'name', p.proname),
         'table', case when c.oid is not null then
           json_build_object('schema', cn.nspname, 'name', c.relname) end,
         'media', t.typname
       ) order by n.nspname, p.proname), '[]')::text
  from pg_catalog.pg_aggregate g
  join pg_catalog.pg_proc p on p.oid = g.aggfnoid
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join pg_catalog.pg_type t on t.oid = p.prorettype
  left join pg_catalog.pg_class c
    on c.reltype = p.proargtypes[0] and c.relkind in ('r', 'v', 'm', 'f', 'p')
  left join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
 where n.nspname = any($1)
   and p.pronargs = 1
   and t.typtype = 'd'
   and (t.typname = '*/*' or t.typname ~ '^[A-Za-z0-9.-]+/[A-Za-z0-9.+-]+$')
   and (c.oid is not null or p.proargtypes[0] = 'pg_catalog.anyelement'::regtype)
