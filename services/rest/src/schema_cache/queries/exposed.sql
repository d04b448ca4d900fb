select json_build_object(
         'about', pg_catalog.obj_description(n.oid, 'pg_namespace'),
         'tables', (
           select coalesce(json_agg(c.relname), '[]')
             from pg_catalog.pg_class c
            where c.relnamespace = n.oid
              and c.relkind in ('r', 'v', 'm', 'f', 'p')
              and not c.relispartition),
         'functions', (
           select coalesce(json_agg(distinct p.proname), '[]')
             from pg_catalog.pg_proc p
            where p.pronamespace = n.oid))::text
  from pg_catalog.pg_namespace n
 where n.nspname = $1
