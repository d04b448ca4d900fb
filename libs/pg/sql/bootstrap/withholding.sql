-- A table without row-level security is not exposed: its grants to the API are taken back,
-- remembered, and given again once it is protected.

-- Takes back what `relation` grants to anon, authenticated and everybody. A table flagged public
-- keeps SELECT and INSERT: that is what its flag means.
create or replace function selfdb.withhold_grants(relation regclass)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    held record;
    kept text[] := case
        when exists (select from selfdb.tables t
                      where t.relation = withhold_grants.relation and t.is_public)
        then array['SELECT', 'INSERT'] else '{}' end;
    any_held boolean := false;
begin
    for held in
        select coalesce(r.rolname, 'public') as grantee, a.privilege_type as privilege,
               '' as column_name
          from pg_class c
         cross join aclexplode(c.relacl) a
          left join pg_roles r on r.oid = a.grantee
         where c.oid = relation and (a.grantee = 0 or r.rolname in ('anon', 'authenticated'))
           and a.privilege_type <> all (kept)
        union
        select coalesce(r.rolname, 'public'), a.privilege_type, c.attname
          from pg_attribute c
         cross join aclexplode(c.attacl) a
          left join pg_roles r on r.oid = a.grantee
         where c.attrelid = relation and (a.grantee = 0 or r.rolname in ('anon', 'authenticated'))
           and a.privilege_type <> all (kept)
    loop
        any_held := true;
        insert into selfdb.withheld_grants
        values (relation, held.grantee, held.privilege, held.column_name)
        on conflict do nothing;
    end loop;
    if not any_held then
        return;
    end if;
    for held in
        select distinct w.grantee, w.privilege from selfdb.withheld_grants w
         where w.relation = withhold_grants.relation
    loop
        execute format('revoke %s on %s from %s', held.privilege, relation,
            case held.grantee when 'public' then 'public'
                 else quote_ident(held.grantee) end);
    end loop;
    raise notice 'table % has no row-level security: anon and authenticated lose access to it '
        'until it is enabled', relation;
end
$$;

-- Gives back what was withheld.
create or replace function selfdb.restore_grants(relation regclass)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    held record;
begin
    for held in
        delete from selfdb.withheld_grants w
         where w.relation = restore_grants.relation
        returning w.grantee, w.privilege, w.column_name
    loop
        -- A column that was dropped meanwhile took its grants with it.
        continue when held.column_name <> '' and not exists (
            select from pg_attribute c
             where c.attrelid = relation and c.attname = held.column_name
               and not c.attisdropped);
        execute format('grant %s%s on %s to %s', held.privilege,
            case held.column_name when '' then ''
                 else format(' (%I)', held.column_name) end,
            relation,
            case held.grantee when 'public' then 'public'
                 else quote_ident(held.grantee) end);
    end loop;
end
$$;

-- Looks at a table of schema public and does whichever of the two is due. TRUNCATE does not ask
-- row-level security, so no role of the API keeps it, also after `grant all`.
create or replace function selfdb.review_grants(relation regclass)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    protected boolean;
begin
    select c.relrowsecurity into protected
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
     where c.oid = relation and n.nspname = 'public' and c.relkind in ('r', 'p')
       and not exists (select from pg_depend d
                        where d.classid = 'pg_class'::regclass
                          and d.objid = c.oid and d.deptype = 'e');
    if protected is null then
        return;
    end if;
    if exists (
        select from pg_class c
         cross join aclexplode(c.relacl) a
          left join pg_roles r on r.oid = a.grantee
         where c.oid = relation and a.privilege_type = 'TRUNCATE'
           and (a.grantee = 0 or r.rolname in ('anon', 'authenticated', 'service_role'))
    ) then
        execute format('revoke truncate on %s from public, anon, authenticated, service_role',
                       relation);
    end if;
    if protected then
        perform selfdb.restore_grants(relation);
    else
        perform selfdb.withhold_grants(relation);
    end if;
end
$$;

revoke all on function selfdb.withhold_grants(regclass), selfdb.restore_grants(regclass),
    selfdb.review_grants(regclass) from public;
