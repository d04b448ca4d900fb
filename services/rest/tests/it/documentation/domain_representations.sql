create domain app_uuid as uuid;
create table profiles (id app_uuid, name text);
insert into profiles values ('846c4ffd-92ce-4de7-8d11-8e29929f4ec4', 'John Doe');
create function json(app_uuid) returns json as $$
    select to_json(encode(uuid_send($1), 'base64'))
$$ language sql immutable;
create cast (app_uuid as json) with function json(app_uuid) as implicit;
create function app_uuid(text) returns app_uuid as $$
    select substring(decode($1, 'base64')::text from 3)::uuid
$$ language sql immutable;
create cast (text as app_uuid) with function app_uuid(text) as implicit;
create function app_uuid(json) returns public.app_uuid as $$
    select app_uuid($1 #>> '{}')
$$ language sql immutable;
create cast (json as public.app_uuid) with function app_uuid(json) as implicit;
create view stored as select id::uuid::text as id, name from profiles;
create domain shown_uuid as uuid;
create table plain (id shown_uuid, name text);
insert into plain values ('846c4ffd-92ce-4de7-8d11-8e29929f4ec4', 'John Doe');
create function shown(shown_uuid) returns json as $$
    select to_json(encode(uuid_send($1), 'base64'))
$$ language sql immutable;
create cast (shown_uuid as json) with function shown(shown_uuid) as implicit;
