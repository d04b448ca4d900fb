-- Binary messages, and messages known by their id, so that they can be told again.
alter table realtime.messages add column binary_payload bytea;
create index messages_topic_inserted_at on realtime.messages (topic, inserted_at desc)
    where extension = 'broadcast' and private;

create or replace function realtime.emit_broadcast() returns trigger
    language plpgsql security definer
    set search_path = ''
    as $$
begin
    perform pg_logical_emit_message(true, 'selfdb.broadcast', jsonb_build_object(
        'id', new.id, 'topic', new.topic, 'event', coalesce(new.event, ''),
        'private', new.private, 'payload', new.payload,
        'binary', encode(new.binary_payload, 'hex'))::text);
    return null;
end;
$$;

create or replace function realtime.send(
    payload jsonb, event text, topic text, private boolean default true
) returns void
    language plpgsql
    set search_path = ''
    as $$
declare
    message_id uuid := gen_random_uuid();
    message jsonb := payload;
    asked_before text := current_setting('realtime.topic', true);
begin
    if jsonb_typeof(payload) = 'object' and not payload ? 'id' then
        message := payload || jsonb_build_object('id', message_id);
    end if;
    perform set_config('realtime.topic', send.topic, true);
    insert into realtime.messages (id, topic, extension, event, payload, private)
    values (message_id, send.topic, 'broadcast', send.event, message, send.private);
    perform set_config('realtime.topic', coalesce(asked_before, ''), true);
exception when others then
    raise warning 'realtime.send: the message was not sent: %', sqlerrm;
end;
$$;

-- The same with bytes, which clients of protocol 2.0.0 hear.
create function realtime.send_binary(
    payload bytea, event text, topic text, private boolean default true
) returns void
    language plpgsql
    set search_path = ''
    as $$
declare
    asked_before text := current_setting('realtime.topic', true);
begin
    perform set_config('realtime.topic', send_binary.topic, true);
    insert into realtime.messages (topic, extension, event, binary_payload, private)
    values (send_binary.topic, 'broadcast', send_binary.event, send_binary.payload,
        send_binary.private);
    perform set_config('realtime.topic', coalesce(asked_before, ''), true);
exception when others then
    raise warning 'realtime.send_binary: the message was not sent: %', sqlerrm;
end;
$$;
grant execute on function realtime.send_binary(bytea, text, text, boolean)
    to anon, authenticated, service_role;
