-- Which column of a table each column of a view is. The parse tree of the view's rule says of every
-- entry of its select list where the value comes from; a column whose entries disagree is left out.
-- Of all views, or of those with the numbers $2.
with recursive wanted as (
    select c.oid
      from pg_catalog.pg_class c
     where c.relkind in ('v', 'm')
       and ($2::oid[] is null or c.oid = any($2))
    union
    -- And of those that they read from.
    select c.oid
      from wanted w
      join pg_catalog.pg_rewrite r on r.ev_class = w.oid
      join pg_catalog.pg_depend d
        on d.classid = 'pg_catalog.pg_rewrite'::regclass
       and d.objid = r.oid
       and d.refclassid = 'pg_catalog.pg_class'::regclass
      join pg_catalog.pg_class c on c.oid = d.refobjid and c.relkind in ('v', 'm')
), direct as (
    select e.view, a.attname as "column", min(e.origin::text)::oid as origin,
           min(e.number) as number
      from (
        select r.ev_class as view,
               m[1]::int as position,
               replace(m[2], '\', '') as name,
               m[3]::oid as origin,
               m[4]::int as number
          from pg_catalog.pg_rewrite r
          join wanted w on w.oid = r.ev_class
          join pg_catalog.pg_class c on c.oid = r.ev_class
          join pg_catalog.pg_namespace s on s.oid = c.relnamespace
         cross join lateral regexp_matches(r.ev_action::text,
               ':resno (\d+) :resname ((?:\\.|[^\s\\])+) :ressortgroupref \d+ :resorigtbl (\d+) :resorigcol (\d+) :resjunk false',
               'g') m
         where r.ev_type = '1'
           and s.nspname not in ('pg_catalog', 'information_schema')
      ) e
      join pg_catalog.pg_attribute a
        on a.attrelid = e.view and a.attnum = e.position and a.attname = e.name
     group by e.view, a.attname
    having count(distinct (e.origin, e.number)) = 1 and min(e.number) > 0
), traced as (
    select view, "column", origin, number from direct
    union
    select t.view, t."column", d.origin, d.number
      from traced t
      join pg_catalog.pg_attribute a on a.attrelid = t.origin and a.attnum = t.number
      join direct d on d.view = t.origin and d."column" = a.attname
)
select coalesce(json_agg(json_build_array(t.view::bigint, json_build_object(
         'view', json_build_object('schema', vn.nspname, 'name', v.relname),
         'column', t."column",
         'table', json_build_object('schema', n.nspname, 'name', c.relname),
         'origin', a.attname,
         'key', (
           select cardinality(k.conkey)
             from pg_catalog.pg_constraint k
            where k.conrelid = c.oid and k.contype = 'p' and a.attnum = any(k.conkey))
       )) order by vn.nspname, v.relname, va.attnum), '[]')::text
  from traced t
  join pg_catalog.pg_class v on v.oid = t.view
  join pg_catalog.pg_namespace vn on vn.oid = v.relnamespace
  join pg_catalog.pg_attribute va on va.attrelid = t.view and va.attname = t."column"
  join pg_catalog.pg_class c on c.oid = t.origin and c.relkind in ('r', 'p')
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_attribute a on a.attrelid = t.origin and a.attnum = t.number
 where vn.nspname = any($1)
   and ($2::oid[] is null or t.view = any($2))
