select json_build_object(
         'casts', (
           select coalesce(json_agg(json_build_object(
                    'domain', pg_catalog.format_type(d.oid, null),
                    'direction', case
                      when d.oid = c.castsource then 'shown'
                      when c.castsource = 'pg_catalog.json'::regtype then 'from_json'
                      else 'from_text'
                    end,
                    'function', json_build_object('schema', n.nspname, 'name', p.proname))), '[]')
             from pg_catalog.pg_cast c
             join pg_catalog.pg_proc p on p.oid = c.castfunc
             join pg_catalog.pg_namespace n on n.oid = p.pronamespace
             join pg_catalog.pg_type d
               on d.typtype = 'd'
              and ((d.oid = c.castsource and c.casttarget = 'pg_catalog.json'::regtype)
                   or (d.oid = c.casttarget and c.castsource in (
                         'pg_catalog.json'::regtype, 'pg_catalog.text'::regtype)))
            where c.castcontext = 'i'
              and c.castmethod = 'f'),
         'computed', (
           select coalesce(json_agg(json_build_object(
                    'table', json_build_object('schema', cn.nspname, 'name', c.relname),
                    'name', p.proname,
                    'domain', pg_catalog.format_type(p.prorettype, null))), '[]')
             from pg_catalog.pg_proc p
             join pg_catalog.pg_type t on t.oid = p.prorettype and t.typtype = 'd'
             join pg_catalog.pg_namespace n on n.oid = p.pronamespace
             join pg_catalog.pg_class c on c.reltype = p.proargtypes[0]
             join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
            where p.prokind = 'f'
              and p.pronargs = 1
              and not p.proretset
              and n.nspname = any($1)
              and cn.nspname = any($1)))::text
