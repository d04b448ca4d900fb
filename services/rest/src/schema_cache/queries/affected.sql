-- What depends on the objects $2 of the classes $1, in numbers of pg_depend, and they themselves.
-- Objects that were dropped have no dependants left; those dropped with them are told by themselves.
with recursive affected (class, object) as (
    select * from unnest($1::oid[], $2::oid[])
    union
    select d.class, d.object
      from affected a
     cross join lateral (
       select d.classid, d.objid
         from pg_catalog.pg_depend d
        where d.refclassid = a.class and d.refobjid = a.object
       union all
       -- The rule of a view depends on what the view reads, and is the view.
       select 'pg_catalog.pg_class'::regclass, r.ev_class
         from pg_catalog.pg_rewrite r
        where a.class = 'pg_catalog.pg_rewrite'::regclass and r.oid = a.object
     ) d (class, object)
), relations as (
    select distinct r.oid
      from affected a
     cross join lateral (
       select a.object
        where a.class = 'pg_catalog.pg_class'::regclass
       union all
       select p.conrelid
         from pg_catalog.pg_constraint p
        where a.class = 'pg_catalog.pg_constraint'::regclass and p.oid = a.object
       union all
       select f.adrelid
         from pg_catalog.pg_attrdef f
        where a.class = 'pg_catalog.pg_attrdef'::regclass and f.oid = a.object
       union all
       select p.polrelid
         from pg_catalog.pg_policy p
        where a.class = 'pg_catalog.pg_policy'::regclass and p.oid = a.object
       union all
       select t.tgrelid
         from pg_catalog.pg_trigger t
        where a.class = 'pg_catalog.pg_trigger'::regclass and t.oid = a.object
       union all
       -- The table of a sequence.
       select d.refobjid
         from pg_catalog.pg_depend d
        where a.class = 'pg_catalog.pg_class'::regclass
          and d.classid = a.class
          and d.objid = a.object
          and d.refclassid = a.class
          and d.deptype in ('a', 'i')
     ) r (oid)
)
select json_build_object(
         'relations', (select coalesce(json_agg(r.oid::bigint), '[]') from relations r),
         'views', exists (
           select
             from relations r
             join pg_catalog.pg_class c on c.oid = r.oid
            where c.relkind in ('v', 'm')),
         'functions', exists (
           select
             from affected a
            where a.class in ('pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_cast'::regclass)))::text
