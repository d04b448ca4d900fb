-- When functions are called without a client: by the clock, by changes of rows, by what happens in
-- the platform, by messages from outside, once.

create table functions.triggers (
    id uuid primary key default gen_random_uuid(),
    function_id uuid not null references functions.functions on delete cascade,
    kind text not null check (kind in ('schedule', 'database', 'event', 'webhook', 'once')),
    name text not null,
    cron text,
    timezone text,
    next_at timestamptz,
    relation_schema text,
    relation_name text,
    operations text[],
    filter jsonb,
    event text,
    unique (function_id, kind, name),
    check (kind <> 'schedule' or (cron is not null and timezone is not null and next_at is not null)),
    check (kind <> 'database' or (relation_name is not null and operations is not null)),
    check (kind <> 'event' or event is not null)
);
create index triggers_by_relation on functions.triggers (relation_schema, relation_name)
    where kind = 'database';
create index triggers_by_event on functions.triggers (event) where kind = 'event';
create index triggers_by_time on functions.triggers (next_at) where kind = 'schedule';

-- Calls that are due. One is deleted when its function has answered it well.
create table functions.events (
    id uuid primary key default gen_random_uuid(),
    function_id uuid not null references functions.functions on delete cascade,
    kind text not null,
    source text not null,
    payload jsonb not null,
    created_at timestamptz not null default now(),
    due_at timestamptz not null default now(),
    attempts integer not null default 0,
    lease uuid,
    leased_until timestamptz,
    dead_at timestamptz,
    last_error text
);
comment on column functions.events.id is 'Told to the function; the same at every try';
comment on column functions.events.leased_until is
    'Until then one node works on it; a node that was killed does not come to renew this';
create index events_due on functions.events (due_at) where dead_at is null;
create index events_dead on functions.events (function_id, dead_at) where dead_at is not null;

-- Which versions have had their one call at deployment.
create table functions.ran_once (
    function_id uuid not null,
    version integer not null,
    primary key (function_id, version),
    foreign key (function_id, version) references functions.versions on delete cascade
);

create table functions.webhooks (
    id uuid primary key default gen_random_uuid(),
    function_id uuid not null references functions.functions on delete cascade,
    name text not null,
    sealed_secret bytea not null,
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    unique (function_id, name)
);

-- Whether `row` has what each condition asks: [{"column", "operator", "value"}]. Values are compared
-- as text; `gt`, `gte`, `lt` and `lte` as numbers where both are some.
create function functions.row_matches(fields jsonb, filter jsonb) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
declare
    condition record;
    have text;
    wanted text;
    numeric_both boolean;
    holds boolean;
begin
    if filter is null then
        return true;
    end if;
    for condition in
        select c ->> 'column' as name, c ->> 'operator' as operator, c -> 'value' as value
          from jsonb_array_elements(filter) c
    loop
        have := fields ->> condition.name;
        wanted := condition.value #>> '{}';
        numeric_both := have ~ '^[+-]?\d+(\.\d+)?$' and wanted ~ '^[+-]?\d+(\.\d+)?$';
        holds := case condition.operator
            when 'eq' then have = wanted
            when 'neq' then have is distinct from wanted
            when 'is' then case wanted when 'null' then have is null else have = wanted end
            when 'in' then have in (select jsonb_array_elements_text(condition.value))
            when 'gt' then case when numeric_both then have::numeric > wanted::numeric else have > wanted end
            when 'gte' then case when numeric_both then have::numeric >= wanted::numeric else have >= wanted end
            when 'lt' then case when numeric_both then have::numeric < wanted::numeric else have < wanted end
            when 'lte' then case when numeric_both then have::numeric <= wanted::numeric else have <= wanted end
            else false
        end;
        if holds is not true then
            return false;
        end if;
    end loop;
    return true;
end
$$;

-- On every table that a function asked for; its arguments are the table's schema and name. What it
-- writes is part of the transaction that changes the row: there is a call if, and only if, that
-- commits.
create function functions.capture_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    fresh jsonb;
    old_row jsonb;
    operation text := tg_op;
begin
    if operation <> 'DELETE' then
        fresh := to_jsonb(new);
    end if;
    if operation <> 'INSERT' then
        old_row := to_jsonb(old);
    end if;
    insert into functions.events (function_id, kind, source, payload)
    select t.function_id, 'database', tg_argv[0] || '.' || tg_argv[1],
           jsonb_build_object('operation', operation, 'schema', tg_argv[0], 'table', tg_argv[1],
                              'record', fresh, 'old_record', old_row, 'changed_at', now())
      from functions.triggers t
     where t.kind = 'database' and t.relation_schema = tg_argv[0]
       and t.relation_name = tg_argv[1] and operation = any (t.operations)
       and functions.row_matches(coalesce(fresh, old_row), t.filter);
    return null;
end
$$;

-- Has every function called that listens for `event`.
create function functions.announce(event text, subject jsonb) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    insert into functions.events (function_id, kind, source, payload)
    select t.function_id, 'event', $1,
           jsonb_build_object('event', $1, 'data', $2, 'happened_at', now())
      from functions.triggers t
     where t.kind = 'event' and t.event = $1
$$;

-- On auth.users. Nothing that somebody could sign in with is told.
create function functions.capture_user() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    fields jsonb := to_jsonb(case tg_op when 'DELETE' then old else new end);
    told text[] := array['id', 'email', 'phone', 'role', 'created_at', 'updated_at',
        'last_sign_in_at', 'email_confirmed_at', 'phone_confirmed_at', 'is_anonymous',
        'raw_user_meta_data', 'raw_app_meta_data'];
    kept text[] := array['email', 'phone', 'role', 'email_confirmed_at', 'phone_confirmed_at',
        'is_anonymous', 'raw_user_meta_data', 'raw_app_meta_data'];
    before jsonb;
    subject jsonb;
begin
    select coalesce(jsonb_object_agg(e.key, e.value), '{}') into subject
      from jsonb_each(fields) e where e.key = any (told);
    if tg_op = 'INSERT' then
        perform functions.announce('user.created', subject);
    elsif tg_op = 'DELETE' then
        perform functions.announce('user.deleted', subject);
    else
        before := to_jsonb(old);
        if fields -> 'last_sign_in_at' is distinct from before -> 'last_sign_in_at' then
            perform functions.announce('user.signed_in', subject);
        end if;
        if exists (select from unnest(kept) as k
                    where fields -> k is distinct from before -> k) then
            perform functions.announce('user.updated', subject);
        end if;
    end if;
    return null;
end
$$;

-- On storage.objects.
create function functions.capture_file() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        perform functions.announce('file.uploaded', to_jsonb(new));
    elsif tg_op = 'DELETE' then
        perform functions.announce('file.deleted', to_jsonb(old));
    elsif to_jsonb(new) -> 'version' is distinct from to_jsonb(old) -> 'version' then
        perform functions.announce('file.updated', to_jsonb(new));
    end if;
    return null;
end
$$;

-- On selfdb.events: whatever the platform says of itself.
create function functions.capture_event() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform functions.announce(lower(replace(to_jsonb(new) ->> 'name', '_', '.')),
                               to_jsonb(new) -> 'payload');
    return null;
end
$$;

revoke all on function functions.announce(text, jsonb), functions.capture_change(),
    functions.capture_user(), functions.capture_file(), functions.capture_event() from public;
