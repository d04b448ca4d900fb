select coalesce(json_agg(r), '[]')::text
  from (
    select n.nspname as schema,
           p.proname as name,
           pg_catalog.obj_description(p.oid, 'pg_proc') as description,
           coalesce(i.parameters, '[]') as parameters,
           json_build_object(
             'kind', case
               when t.typname = 'void' and tn.nspname = 'pg_catalog' then 'void'
               when b.typtype = 'c' or p.proargmodes && '{o,b,t}'::"char"[] then 'composite'
               else 'scalar'
             end,
             'set', p.proretset,
             'type', json_build_object(
               'schema', coalesce(cn.nspname, tn.nspname),
               'name', coalesce(c.relname, t.typname))
           ) as returns,
           case p.provolatile
             when 'i' then 'immutable'
             when 's' then 'stable'
             else 'volatile'
           end as volatility,
           coalesce((
             select json_agg(json_build_array(
                      split_part(s, '=', 1), substr(s, strpos(s, '=') + 1)))
               from unnest(p.proconfig) s), '[]') as settings
      from pg_catalog.pg_proc p
      join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      join pg_catalog.pg_type t on t.oid = p.prorettype
      join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace
      join pg_catalog.pg_type b
        on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
      left join pg_catalog.pg_class c on c.oid = b.typrelid
      left join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
      left join lateral (
        select json_agg(json_build_object(
                 'name', coalesce(a.name, ''),
                 'type', pg_catalog.format_type(a.type, null),
                 'required', a.position <= p.pronargs - p.pronargdefaults,
                 'variadic', a.mode = 'v'
               ) order by a.position) as parameters,
               bool_and(coalesce(a.name, '') <> '')
               or (count(*) = 1 and bool_and(a.type in (
                     'pg_catalog.json'::regtype, 'pg_catalog.jsonb'::regtype,
                     'pg_catalog.text'::regtype, 'pg_catalog.xml'::regtype,
                     'pg_catalog.bytea'::regtype))) as callable
          from (
            select p.proargnames[o.position] as name,
                   o.type,
                   coalesce(p.proargmodes[o.position], 'i') as mode,
                   row_number() over (order by o.position) as position
              from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]))
                   with ordinality o(type, position)
             where coalesce(p.proargmodes[o.position], 'i') in ('i', 'b', 'v')
          ) a
      ) i on true
     where n.nspname = any($1)
       and p.prokind = 'f'
       and coalesce(i.callable, true)
       and t.typname not in ('trigger', 'event_trigger')
     order by n.nspname, p.proname, p.pronargs, p.oid
  ) r
