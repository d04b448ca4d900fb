-- The is_public flag of a table: kept in the catalogue, turned into policies and grants here,
-- enforced by row-level security alone.

-- Sets the flag and what follows from it. Public: anon and authenticated read every row and insert
-- rows of their own (no owner, for anon); only the owner of a row changes or deletes it. Not
-- public: the policies made here go, others stay. The owner column is the first of user_id, owner,
-- owner_id, created_by that is a uuid; where it has no default it gets auth.uid().
create or replace function selfdb.set_table_public(relation regclass, is_public boolean)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    place record;
    owner_column name;
    owns text;
    policy record;
begin
    if relation is null or is_public is null then
        raise exception 'a table and a flag are needed' using errcode = '22004';
    end if;
    select n.nspname, c.relkind into place
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
     where c.oid = relation;
    if place.relkind is null or place.relkind not in ('r', 'p') then
        raise exception '% is no table', relation using errcode = '42809';
    end if;
    if place.nspname in ('auth', 'storage', 'realtime', 'functions', 'extensions', 'selfdb',
                         'information_schema') or place.nspname like 'pg\_%' then
        raise exception 'table % belongs to the platform', relation using errcode = '42501';
    end if;

    select a.attname into owner_column
      from pg_attribute a
     where a.attrelid = relation and a.attnum > 0 and not a.attisdropped
       and a.atttypid = 'uuid'::regtype
       and a.attname in ('user_id', 'owner', 'owner_id', 'created_by')
     order by array_position(
         array['user_id', 'owner', 'owner_id', 'created_by']::name[], a.attname)
     limit 1;

    insert into selfdb.tables as t (relation, is_public, owner_column)
    values (relation, is_public, owner_column)
    on conflict on constraint tables_pkey do update
       set is_public = excluded.is_public, owner_column = excluded.owner_column,
           updated_at = now();
    execute format('alter table %s enable row level security', relation);
    for policy in
        select p.polname from pg_policy p
         where p.polrelid = relation and p.polname like 'selfdb\_public\_%'
    loop
        execute format('drop policy %I on %s', policy.polname, relation);
    end loop;
    if owner_column is not null and not exists (
        select from pg_attrdef d
          join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
         where d.adrelid = relation and a.attname = owner_column
    ) then
        execute format('alter table %s alter column %I set default auth.uid()',
                                  relation, owner_column);
    end if;
    if not is_public then
        return;
    end if;

    owns := case when owner_column is null then 'true'
                 else format('%I is not distinct from (select auth.uid())',
                                        owner_column) end;
    execute format('create policy selfdb_public_select on %s for select '
        'to anon, authenticated using (true)', relation);
    execute format('create policy selfdb_public_insert on %s for insert '
        'to anon, authenticated with check (%s)', relation, owns);
    execute format('grant select, insert on %s to anon, authenticated', relation);
    if owner_column is not null then
        owns := format('%I = (select auth.uid())', owner_column);
        execute format('create policy selfdb_public_update on %s for update '
            'to authenticated using (%s) with check (%s)', relation, owns, owns);
        execute format('create policy selfdb_public_delete on %s for delete '
            'to authenticated using (%s)', relation, owns);
        execute format('grant update, delete on %s to authenticated', relation);
    end if;
end
$$;
revoke all on function selfdb.set_table_public(regclass, boolean) from public;
grant execute on function selfdb.set_table_public(regclass, boolean) to service_role;
