-- What a role may use of the schemas $1, or with $2 all of them, with every type taken apart: for
-- generated types.
with types as (
    -- Domains are what they are over, and lists are known by what they hold.
    select t.oid,
           json_build_object(
             'schema', n.nspname,
             'name', e.typname,
             'kind', case
               when e.typtype = 'e' then 'enum'
               when c.relkind = 'c' then 'composite'
               when c.relkind in ('v', 'm') then 'view'
               when c.relkind in ('r', 'p', 'f') then 'table'
               else 'base'
             end,
             'list', e.oid <> b.oid) as type,
           case when e.oid = b.oid then c.oid end as relation
      from pg_catalog.pg_type t
      join pg_catalog.pg_type b
        on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
      join pg_catalog.pg_type e
        on e.oid = case when b.typcategory = 'A' and b.typelem <> 0 then b.typelem else b.oid end
      join pg_catalog.pg_namespace n on n.oid = e.typnamespace
      left join pg_catalog.pg_class c on c.oid = e.typrelid
), relations as (
    select c.oid, n.nspname, c.relname, c.relkind,
           case when c.relkind in ('v', 'f')
                then pg_catalog.pg_relation_is_updatable(c.oid, true)
                when c.relkind = 'm' then 0
                else 28 end as events
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = any($1)
       and c.relkind in ('r', 'v', 'm', 'f', 'p')
       and not c.relispartition
       and ($2::boolean
            or has_table_privilege(c.oid, 'select, insert, update, delete')
            or has_any_column_privilege(c.oid, 'select, insert, update'))
), columns as (
    select a.attrelid,
           json_agg(json_build_object(
             'name', a.attname,
             'type', t.type,
             'nullable', not (a.attnotnull or (y.typtype = 'd' and y.typnotnull)),
             'optional', a.atthasdef or a.attidentity <> '',
             'generated', a.attgenerated <> '' or a.attidentity = 'a'
           ) order by a.attname) as list
      from pg_catalog.pg_attribute a
      join relations r on r.oid = a.attrelid
      join pg_catalog.pg_type y on y.oid = a.atttypid
      join types t on t.oid = a.atttypid
     where a.attnum > 0 and not a.attisdropped
     group by a.attrelid
), functions as (
    select n.nspname, p.proname, p.oid,
           coalesce(i.list, '[]') as parameters,
           i.row_of,
           case
             when o.tabular or o.count > 1 then json_build_object('columns', o.list)
             else json_build_object('type', r.type)
           end as returns,
           p.proretset as "set",
           p.proretset and p.prorows = 1 as single
      from pg_catalog.pg_proc p
      join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      join types r on r.oid = p.prorettype
      join pg_catalog.pg_type rt on rt.oid = p.prorettype
      left join lateral (
        select json_agg(json_build_object(
                 'name', coalesce(p.proargnames[a.position], ''),
                 'type', t.type,
                 'optional', a.rank > p.pronargs - p.pronargdefaults
               ) order by coalesce(p.proargnames[a.position], '')) as list,
               count(*) as count,
               bool_and(coalesce(p.proargnames[a.position], '') <> '') as named,
               case when count(*) = 1 then min(t.relation::text)::oid end as row_of
          from (
            select o.type, o.position, row_number() over (order by o.position) as rank
              from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]))
                   with ordinality o(type, position)
             where coalesce(p.proargmodes[o.position], 'i') in ('i', 'b', 'v')
          ) a
          join types t on t.oid = a.type
      ) i on true
      left join lateral (
        select json_agg(json_build_object(
                 'name', coalesce(p.proargnames[a.position], ''), 'type', t.type
               ) order by a.position) as list,
               count(*) as count,
               bool_or(p.proargmodes[a.position] = 't') as tabular
          from unnest(p.proallargtypes) with ordinality a(type, position)
          join types t on t.oid = a.type
         where p.proargmodes[a.position] in ('o', 'b', 't')
      ) o on true
     where n.nspname = any($1)
       and p.prokind = 'f'
       and rt.typname not in ('trigger', 'event_trigger')
       and (i.count = 0 or i.named or i.count = 1)
       and ($2::boolean or has_function_privilege(p.oid, 'execute'))
)
select json_build_object(
         'relations', (
           select coalesce(json_agg(json_build_object(
                    'schema', r.nspname,
                    'name', r.relname,
                    'is_view', r.relkind in ('v', 'm'),
                    'insert', r.events & 8 = 8,
                    'update', r.events & 4 = 4,
                    'columns', coalesce(c.list, '[]')
                  ) order by r.nspname, r.relname), '[]')
             from relations r
             left join columns c on c.attrelid = r.oid),
         'functions', (
           select coalesce(json_agg(json_build_object(
                    'schema', f.nspname,
                    'name', f.proname,
                    'parameters', f.parameters,
                    'row_of', rr.relname,
                    'returns', f.returns,
                    'set', f."set",
                    'single', f.single
                  ) order by f.nspname, f.proname, f.oid), '[]')
             from functions f
             left join pg_catalog.pg_class rr on rr.oid = f.row_of),
         'enums', (
           select coalesce(json_agg(json_build_object(
                    'schema', n.nspname,
                    'name', t.typname,
                    'labels', (
                      select json_agg(e.enumlabel order by e.enumsortorder)
                        from pg_catalog.pg_enum e
                       where e.enumtypid = t.oid)
                  ) order by n.nspname, t.typname), '[]')
             from pg_catalog.pg_type t
             join pg_catalog.pg_namespace n on n.oid = t.typnamespace
            where t.typtype = 'e' and n.nspname = any($1)),
         'composites', (
           select coalesce(json_agg(json_build_object(
                    'schema', n.nspname,
                    'name', c.relname,
                    'attributes', (
                      select coalesce(json_agg(json_build_object(
                               'name', a.attname, 'type', t.type) order by a.attname), '[]')
                        from pg_catalog.pg_attribute a
                        join types t on t.oid = a.atttypid
                       where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)
                  ) order by n.nspname, c.relname), '[]')
             from pg_catalog.pg_class c
             join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where c.relkind = 'c' and n.nspname = any($1)))::text
