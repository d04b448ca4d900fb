create sequence callcounter_count start 1;
create view callcounter as select nextval('callcounter_count');
create table people (id int primary key);
create function teapot() returns json as $$
begin
  perform set_config('response.status', '418', true);
  return json_build_object('message', 'The requested entity body is short and stout.',
                           'hint', 'Tip it over and pour it out.');
end;
$$ language plpgsql stable;
create function cached() returns text as $$
  select set_config('response.headers',
    '[{"Cache-Control": "public"}, {"Cache-Control": "max-age=259200"}]', true)
$$ language sql stable;
create function told(name text) returns text as $$ select current_setting('request.' || name, true) $$ language sql stable;
create function header(name text) returns text as $$
  select current_setting('request.headers', true)::json ->> name
$$ language sql stable;
create function cookie(name text) returns text as $$
  select current_setting('request.cookies', true)::json ->> name
$$ language sql stable;
create function who() returns text as $$ select current_user::text $$ language sql stable;
create function myfunc() returns void as $$ select pg_sleep(0.4) $$ language sql set statement_timeout to '100ms';
create function isolation() returns text as $$
  select current_setting('transaction_isolation')
$$ language sql stable set default_transaction_isolation to 'serializable';
create function custom_headers() returns void as $$
declare
  user_agent text := current_setting('request.headers', true)::json ->> 'user-agent';
begin
  if user_agent similar to '%MSIE (6.0|7.0)%' then
    perform set_config('response.headers',
      '[{"Cache-Control": "no-cache, no-store, must-revalidate"}]', false);
  end if;
end; $$ language plpgsql;
