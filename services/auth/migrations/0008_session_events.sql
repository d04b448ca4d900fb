-- The end of each session is an event of the platform: whoever holds one of its access tokens hears
-- of nothing that is committed afterwards (libs/pg: events; services/realtime).

create function auth.tell_ended_sessions() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_logical_emit_message(true, 'selfdb.event', json_build_object(
            'event', 'session.ended',
            'payload', json_build_object('session_id', ended.id, 'user_id', ended.user_id))::text)
       from ended;
    return null;
end
$$;
create trigger tell_ended_sessions after delete on auth.sessions
    referencing old table as ended
    for each statement execute function auth.tell_ended_sessions();
