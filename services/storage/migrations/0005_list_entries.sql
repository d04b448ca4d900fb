-- One page of the entries under `prefix`, which may be any beginning of a name: objects, and, with a
-- delimiter, each run of names that agree up to the next delimiter as one entry without an id. The
-- walk jumps over such a run by the index, so a page costs as many look-ups as it has entries.
-- `after` is exclusive; an entry without an id is passed as a whole by giving it as `after` with
-- chr(1114111) at its end.
create function storage.list_entries(
    bucketname text,
    prefix text,
    delimiter text,
    after text,
    limits int,
    backwards boolean
) returns table (
    name text,
    id uuid,
    updated_at timestamptz,
    created_at timestamptz,
    last_accessed_at timestamptz,
    metadata jsonb,
    version text
)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    ending constant text := chr(1114111);
    start constant int := length(list_entries.prefix) + 1;
    -- Inclusive and exclusive bounds of what is still to be walked.
    low text := list_entries.prefix;
    high text := list_entries.prefix || ending;
    found_at int;
    run text;
    seen int := 0;
    walked boolean;
    items refcursor;
    item record;
begin
    if list_entries.after is not null then
        if backwards then
            high := least(high collate "C", list_entries.after collate "C");
        else
            -- Nothing sorts between a name and the name followed by the smallest character.
            low := greatest(low collate "C", (list_entries.after || chr(1)) collate "C");
        end if;
    end if;
    while seen < list_entries.limits loop
        if backwards then
            open items for
                select o.name, o.id, o.updated_at, o.created_at, o.last_accessed_at, o.metadata,
                       o.version
                from storage.objects o
                where o.bucket_id = list_entries.bucketname and o.name >= low and o.name < high
                order by o.name desc
                limit 100;
        else
            open items for
                select o.name, o.id, o.updated_at, o.created_at, o.last_accessed_at, o.metadata,
                       o.version
                from storage.objects o
                where o.bucket_id = list_entries.bucketname and o.name >= low and o.name < high
                order by o.name
                limit 100;
        end if;
        walked := false;
        run := null;
        while run is null and seen < list_entries.limits loop
            fetch items into item;
            exit when not found;
            walked := true;
            found_at := case when list_entries.delimiter <> ''
                then strpos(substr(item.name, start), list_entries.delimiter) else 0 end;
            if coalesce(found_at, 0) > 0 then
                run := left(item.name,
                            start - 1 + found_at - 1 + length(list_entries.delimiter));
            end if;
            if backwards then
                high := coalesce(run, item.name);
            else
                low := coalesce(run || ending, item.name || chr(1));
            end if;
            seen := seen + 1;
            name := coalesce(run, item.name);
            id := case when run is null then item.id end;
            updated_at := case when run is null then item.updated_at end;
            created_at := case when run is null then item.created_at end;
            last_accessed_at := case when run is null then item.last_accessed_at end;
            metadata := case when run is null then item.metadata end;
            version := case when run is null then item.version end;
            return next;
        end loop;
        close items;
        exit when not walked;
    end loop;
end
$$;
