create table people (id int primary key);
grant select on people to anon;
create function who() returns text as $$ select current_user::text $$ language sql stable;
create function email() returns text as $$
  select current_setting('request.jwt.claims', true)::json ->> 'email'
$$ language sql stable;
create function check_user() returns void as $$
declare
  email text := current_setting('request.jwt.claims', true)::json ->> 'email';
begin
  if email = 'evil.user@malicious.com' then
    raise exception 'No, you are evil' using hint = 'Stop being so evil and maybe you can log in';
  end if;
end $$ language plpgsql;
