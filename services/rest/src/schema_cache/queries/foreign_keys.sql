-- Of all tables, or of those with the numbers $1.
select coalesce(json_agg(json_build_array(f.conrelid::bigint, json_build_object(
         'constraint', f.conname,
         'table', json_build_object('schema', n.nspname, 'name', c.relname),
         'foreign_table', json_build_object('schema', fn.nspname, 'name', fc.relname),
         'columns', (
           select json_agg(json_build_object('own', a.attname, 'foreign', fa.attname)
                           order by k.position)
             from unnest(f.conkey, f.confkey) with ordinality k(own, other, position)
             join pg_catalog.pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.own
             join pg_catalog.pg_attribute fa on fa.attrelid = f.confrelid and fa.attnum = k.other),
         'unique', exists (
           select
             from pg_catalog.pg_constraint u
            where u.conrelid = f.conrelid
              and u.contype in ('p', 'u')
              and u.conkey @> f.conkey and u.conkey <@ f.conkey)
       )) order by n.nspname, c.relname, f.conname), '[]')::text
  from pg_catalog.pg_constraint f
  join pg_catalog.pg_class c on c.oid = f.conrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_class fc on fc.oid = f.confrelid
  join pg_catalog.pg_namespace fn on fn.oid = fc.relnamespace
 where f.contype = 'f'
   and f.conparentid = 0
   and ($1::oid[] is null or f.conrelid = any($1))
