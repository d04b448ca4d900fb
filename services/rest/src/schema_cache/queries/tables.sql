-- Of all tables, or of those with the numbers $2. Every part is gathered once for all of them, not
-- once per table: 10,000 are a matter of hash joins.
with relations as (
    select c.oid, c.relkind, c.relname, n.nspname
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = any($1)
       and c.relkind in ('r', 'v', 'm', 'f', 'p')
       and not c.relispartition
       and ($2::oid[] is null or c.oid = any($2))
), labels as (
    select e.enumtypid, json_agg(e.enumlabel order by e.enumsortorder) as list
      from pg_catalog.pg_enum e
     group by e.enumtypid
), sequences as (
    select d.refobjid, d.refobjsubid,
           pg_catalog.format('%I.%I', n.nspname, q.relname) as name
      from pg_catalog.pg_depend d
      join pg_catalog.pg_class q on q.oid = d.objid and q.relkind = 'S'
      join pg_catalog.pg_namespace n on n.oid = q.relnamespace
     where d.classid = 'pg_catalog.pg_class'::regclass
       and d.refclassid = 'pg_catalog.pg_class'::regclass
       and d.deptype = 'i'
), descriptions as (
    select d.objoid, d.objsubid, d.description
      from pg_catalog.pg_description d
     where d.classoid = 'pg_catalog.pg_class'::regclass
), columns as (
    select a.attrelid,
           json_agg(json_build_object(
             'name', a.attname,
             'description', cd.description,
             'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
             'nullable', not (a.attnotnull or (y.typtype = 'd' and y.typnotnull)),
             'default', case
               when a.attidentity = 'd' then pg_catalog.format('nextval(%L)', s.name)
               when a.attgenerated <> '' then null
               else coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), y.typdefault)
             end,
             'generated', a.attgenerated <> '' or a.attidentity = 'a',
             'max_length', case
               when a.atttypid in ('pg_catalog.varchar'::regtype, 'pg_catalog.bpchar'::regtype)
                    and a.atttypmod > 4
               then a.atttypmod - 4
             end,
             'labels', coalesce(l.list, '[]')
           ) order by a.attnum) as list
      from pg_catalog.pg_attribute a
      join relations r on r.oid = a.attrelid
      join pg_catalog.pg_type y on y.oid = a.atttypid
      left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      left join descriptions cd on cd.objoid = a.attrelid and cd.objsubid = a.attnum
      left join sequences s
        on a.attidentity <> '' and s.refobjid = a.attrelid and s.refobjsubid = a.attnum
      left join labels l on l.enumtypid = a.atttypid
     where a.attnum > 0 and not a.attisdropped
     group by a.attrelid
), keys as (
    select p.conrelid, json_agg(a.attname order by k.position) as list
      from pg_catalog.pg_constraint p
      join relations r on r.oid = p.conrelid
     cross join unnest(p.conkey) with ordinality k(attnum, position)
      join pg_catalog.pg_attribute a on a.attrelid = p.conrelid and a.attnum = k.attnum
     where p.contype = 'p'
     group by p.conrelid
)
select coalesce(json_agg(json_build_array(t.oid::bigint, to_json(t))), '[]')::text
  from (
    select c.oid,
           c.nspname as schema,
           c.relname as name,
           td.description,
           c.relkind in ('v', 'm') as is_view,
           json_build_object(
             'insert', c.relkind in ('r', 'p') or w.events & 8 = 8,
             'update', c.relkind in ('r', 'p') or w.events & 4 = 4,
             'delete', c.relkind in ('r', 'p') or w.events & 16 = 16) as writable,
           p.oid is not null as is_public,
           coalesce(a.list, '[]') as columns,
           coalesce(k.list, '[]') as primary_key
      from relations c
     cross join lateral (
       select case when c.relkind in ('v', 'f')
                   then pg_catalog.pg_relation_is_updatable(c.oid, true)
                   else 0 end as events) w
      left join pg_catalog.pg_policy p
        on p.polrelid = c.oid and p.polname = 'selfdb_public_select'
      left join descriptions td on td.objoid = c.oid and td.objsubid = 0
      left join columns a on a.attrelid = c.oid
      left join keys k on k.conrelid = c.oid
  ) t
