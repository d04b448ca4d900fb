-- Messages sent from SQL. Their policies decide over private topics: who may select may hear, who
-- may insert may send. Rows are kept for three days.
create table realtime.messages (
    id          uuid      not null default gen_random_uuid() primary key,
    topic       text      not null,
    extension   text      not null,
    event       text,
    payload     jsonb,
    private     boolean   not null default false,
    inserted_at timestamp not null default (now() at time zone 'utc'),
    updated_at  timestamp not null default (now() at time zone 'utc')
);
create index messages_inserted_at on realtime.messages (inserted_at);
alter table realtime.messages enable row level security;
grant select, insert on realtime.messages to anon, authenticated, service_role;

-- The topic that a policy is asked about.
create function realtime.topic() returns text
    language sql stable
    as $$ select nullif(current_setting('realtime.topic', true), '') $$;

-- Writes a broadcast into the write-ahead log when its row is inserted; the service reads it there
-- once the transaction has committed. Only a trigger can run this, so whoever sends has passed the
-- policies for inserts.
create function realtime.emit_broadcast() returns trigger
    language plpgsql security definer
    set search_path = ''
    as $$
begin
    perform pg_logical_emit_message(true, 'selfdb.broadcast', jsonb_build_object(
        'topic', new.topic, 'event', coalesce(new.event, ''), 'private', new.private,
        'payload', new.payload)::text);
    return null;
end;
$$;
create trigger emit_broadcast after insert on realtime.messages
    for each row when (new.extension = 'broadcast') execute function realtime.emit_broadcast();

-- Sends a message to whoever has joined the topic, when the transaction commits. The caller needs
-- a policy that lets it insert; one that may not is warned, and its transaction goes on.
create function realtime.send(
    payload jsonb, event text, topic text, private boolean default true
) returns void
    language plpgsql
    set search_path = ''
    as $$
declare
    message jsonb := payload;
    asked_before text := current_setting('realtime.topic', true);
begin
    if jsonb_typeof(payload) = 'object' and not payload ? 'id' then
        message := payload || jsonb_build_object('id', gen_random_uuid());
    end if;
    perform set_config('realtime.topic', send.topic, true);
    insert into realtime.messages (topic, extension, event, payload, private)
    values (send.topic, 'broadcast', send.event, message, send.private);
    perform set_config('realtime.topic', coalesce(asked_before, ''), true);
exception when others then
    raise warning 'realtime.send: the message was not sent: %', sqlerrm;
end;
$$;

-- For triggers: sends a change of a row to a private topic.
create function realtime.broadcast_changes(
    topic_name text, event_name text, operation text, table_name text, table_schema text,
    new record, old record, level text default 'ROW'
) returns void
    language plpgsql
    set search_path = ''
    as $$
begin
    if level = 'STATEMENT' then
        raise exception 'realtime.broadcast_changes needs a trigger for each row';
    end if;
    perform realtime.send(
        jsonb_build_object(
            'old_record', to_jsonb(old), 'record', to_jsonb(new), 'operation', operation,
            'table', table_name, 'schema', table_schema),
        event_name, topic_name);
end;
$$;

grant execute on function
    realtime.topic(),
    realtime.send(jsonb, text, text, boolean),
    realtime.broadcast_changes(text, text, text, text, text, record, record, text)
    to anon, authenticated, service_role;
