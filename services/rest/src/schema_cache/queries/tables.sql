select coalesce(json_agg(t), '[]')::text
  from (
    select n.nspname as schema,
           c.relname as name,
           pg_catalog.obj_description(c.oid, 'pg_class') as description,
           c.relkind in ('v', 'm') as is_view,
           json_build_object(
             'insert', c.relkind in ('r', 'p') or w.events & 8 = 8,
             'update', c.relkind in ('r', 'p') or w.events & 4 = 4,
             'delete', c.relkind in ('r', 'p') or w.events & 16 = 16) as writable,
           exists (
             select
               from pg_catalog.pg_policy p
              where p.polrelid = c.oid and p.polname = 'selfdb_public_select') as is_public,
           coalesce((
             select has_table_privilege(u.oid, c.oid, 'select')
                    or has_any_column_privilege(u.oid, c.oid, 'select')
               from pg_catalog.pg_roles u
              where u.rolname = 'authenticated'), false) as granted_to_users,
           coalesce((
             select json_agg(json_build_object(
                      'name', a.attname,
                      'description', pg_catalog.col_description(c.oid, a.attnum),
                      'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
                      'nullable', not (a.attnotnull or (y.typtype = 'd' and y.typnotnull)),
                      'default', case
                        when a.attidentity = 'd' then (
                          select pg_catalog.format('nextval(%L)',
                                   pg_catalog.format('%I.%I', qn.nspname, q.relname))
                            from pg_catalog.pg_depend o
                            join pg_catalog.pg_class q on q.oid = o.objid and q.relkind = 'S'
                            join pg_catalog.pg_namespace qn on qn.oid = q.relnamespace
                           where o.classid = 'pg_catalog.pg_class'::regclass
                             and o.refclassid = 'pg_catalog.pg_class'::regclass
                             and o.refobjid = c.oid
                             and o.refobjsubid = a.attnum
                             and o.deptype = 'i')
                        when a.attgenerated <> '' then null
                        else coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), y.typdefault)
                      end,
                      'generated', a.attgenerated <> '' or a.attidentity = 'a',
                      'max_length', case
                        when a.atttypid in ('pg_catalog.varchar'::regtype, 'pg_catalog.bpchar'::regtype)
                             and a.atttypmod > 4
                        then a.atttypmod - 4
                      end,
                      'labels', coalesce((
                        select json_agg(e.enumlabel order by e.enumsortorder)
                          from pg_catalog.pg_enum e
                         where e.enumtypid = a.atttypid), '[]')
                    ) order by a.attnum)
               from pg_catalog.pg_attribute a
               join pg_catalog.pg_type y on y.oid = a.atttypid
               left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]') as columns,
           coalesce((
             select json_agg(a.attname order by k.position)
               from pg_catalog.pg_constraint p
              cross join unnest(p.conkey) with ordinality k(attnum, position)
               join pg_catalog.pg_attribute a on a.attrelid = p.conrelid and a.attnum = k.attnum
              where p.conrelid = c.oid and p.contype = 'p'), '[]') as primary_key
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     cross join lateral (
       select case when c.relkind in ('v', 'f')
                   then pg_catalog.pg_relation_is_updatable(c.oid, true)
                   else 0 end as events) w
     where n.nspname = any($1)
       and c.relkind in ('r', 'v', 'm', 'f', 'p')
       and not c.relispartition
  ) t
