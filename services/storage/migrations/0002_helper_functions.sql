-- What policies call on an object's name: `a/b/c.tar.gz` has the folders {a,b}, the file name
-- c.tar.gz and the extension gz.

create function storage.foldername(name text) returns text[]
language sql immutable parallel safe
return (string_to_array(name, '/'))[1:cardinality(string_to_array(name, '/')) - 1];

create function storage.filename(name text) returns text
language sql immutable parallel safe
return (string_to_array(name, '/'))[cardinality(string_to_array(name, '/'))];

create function storage.extension(name text) returns text
language sql immutable parallel safe
return reverse(split_part(reverse(storage.filename(name)), '.', 1));

-- One page of the entries directly under `prefix` (empty, or a folder with its trailing slash):
-- files, and folders as entries without an id. `search` keeps the entries that begin with it,
-- whatever their case. Sorted by name, the walk jumps over each folder's contents, so a page costs
-- as many index look-ups as it has entries. `levels` is Supabase's: the depth follows from
-- `prefix`, so it is not read.
create function storage.search(
    prefix text,
    bucketname text,
    limits int default 100,
    levels int default 1,
    offsets int default 0,
    search text default '',
    sortcolumn text default 'name',
    sortorder text default 'asc'
) returns table (
    name text,
    id uuid,
    updated_at timestamptz,
    created_at timestamptz,
    last_accessed_at timestamptz,
    metadata jsonb
)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    folder constant text := coalesce(search.prefix, '');
    beginning constant text := lower(coalesce(search.search, ''));
    backwards constant boolean := lower(coalesce(search.sortorder, 'asc')) = 'desc';
    start constant int := length(folder) + 1;
    -- Inclusive and exclusive bounds of what is still to be walked.
    low text := folder;
    high text := folder || chr(1114111);
    entry text;
    slash int;
    seen int := 0;
    jumped boolean;
    walked boolean;
    items refcursor;
    item record;
begin
    if lower(coalesce(search.sortcolumn, 'name')) <> 'name' then
        return query
        with entries as (
            select o.*, substr(o.name, start) as entry
            from storage.objects o
            where o.bucket_id = search.bucketname
              and o.name >= low and o.name < high
              and starts_with(lower(substr(o.name, start)), beginning)
        ), listed as (
            select distinct split_part(e.entry, '/', 1) as name, null::uuid as id,
                   null::timestamptz as updated_at, null::timestamptz as created_at,
                   null::timestamptz as last_accessed_at, null::jsonb as metadata,
                   0 as kind, null::double precision as rank
            from entries e
            where strpos(e.entry, '/') > 0
            union all
            select e.entry, e.id, e.updated_at, e.created_at, e.last_accessed_at, e.metadata, 1,
                   case when backwards then -1 else 1 end * extract(epoch from
                       case lower(search.sortcolumn)
                           when 'updated_at' then e.updated_at
                           when 'last_accessed_at' then e.last_accessed_at
                           else e.created_at
                       end)::double precision
            from entries e
            where strpos(e.entry, '/') = 0
        )
        select l.name, l.id, l.updated_at, l.created_at, l.last_accessed_at, l.metadata
        from listed l
        order by l.kind, l.rank, l.name collate "C"
        limit search.limits offset search.offsets;
        return;
    end if;

    while seen < search.offsets + search.limits loop
        if backwards then
            open items for
                select o.name, o.id, o.updated_at, o.created_at, o.last_accessed_at, o.metadata
                from storage.objects o
                where o.bucket_id = search.bucketname
                  and o.name >= low and o.name < high
                  and starts_with(lower(substr(o.name, start)), beginning)
                order by o.name desc
                limit 100;
        else
            open items for
                select o.name, o.id, o.updated_at, o.created_at, o.last_accessed_at, o.metadata
                from storage.objects o
                where o.bucket_id = search.bucketname
                  and o.name >= low and o.name < high
                  and starts_with(lower(substr(o.name, start)), beginning)
                order by o.name
                limit 100;
        end if;
        walked := false;
        jumped := false;
        while not jumped and seen < search.offsets + search.limits loop
            fetch items into item;
            exit when not found;
            walked := true;
            entry := substr(item.name, start);
            slash := strpos(entry, '/');
            jumped := slash > 0;
            if jumped then
                entry := left(entry, slash - 1);
            end if;
            -- Nothing sorts between a name and the name followed by the smallest character; and
            -- whatever is in a folder lies between `folder/` and `folder0`.
            if backwards then
                high := folder || entry || case when jumped then '/' else '' end;
            else
                low := folder || entry || case when jumped then '0' else chr(1) end;
            end if;
            seen := seen + 1;
            if seen > search.offsets then
                name := entry;
                id := case when not jumped then item.id end;
                updated_at := case when not jumped then item.updated_at end;
                created_at := case when not jumped then item.created_at end;
                last_accessed_at := case when not jumped then item.last_accessed_at end;
                metadata := case when not jumped then item.metadata end;
                return next;
            end if;
        end loop;
        close items;
        exit when not walked;
    end loop;
end
$$;
