-- What the role may use of the schema $1, or with $2 all of it.
select json_build_object(
         'about', pg_catalog.obj_description(n.oid, 'pg_namespace'),
         'tables', (
           select coalesce(json_agg(c.relname), '[]')
             from pg_catalog.pg_class c
            where c.relnamespace = n.oid
              and c.relkind in ('r', 'v', 'm', 'f', 'p')
              and not c.relispartition
              and ($2::boolean
                   or has_table_privilege(c.oid, 'select, insert, update, delete')
                   or has_any_column_privilege(c.oid, 'select, insert, update'))),
         'functions', (
           select coalesce(json_agg(distinct p.proname), '[]')
             from pg_catalog.pg_proc p
            where p.pronamespace = n.oid
              and ($2::boolean or has_function_privilege(p.oid, 'execute'))))::text
  from pg_catalog.pg_namespace n
 where n.nspname = $1
