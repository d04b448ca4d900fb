create table projects (id int primary key, name text, value text);
create table films (id int primary key);
create function just_fail() returns void language plpgsql as $$
begin
  raise exception 'I refuse!' using detail = 'Pretty simple', hint = 'There is nothing you can do.';
end $$;
create function pay() returns void language plpgsql as $$
begin
  raise sqlstate 'PT402' using message = 'Payment Required', detail = 'Quota exceeded', hint = 'Upgrade your plan';
end $$;
create function pay_in_full() returns void language plpgsql as $$
begin
  raise sqlstate 'PGRST' using
    message = '{"code":"123","message":"Payment Required","details":"Quota exceeded","hint":"Upgrade your plan"}',
    detail = '{"status":402,"headers":{"X-Powered-By":"Nerd Rage"}}';
end $$;
create function expire() returns void language plpgsql as $$
begin
  raise sqlstate 'PGRST' using
    message = '{"code":"123","message":"Expired"}',
    detail = '{"status":419,"status_text":"Page Expired","headers":{"X-Powered-By":"Nerd Rage"}}';
end $$;
create function mistake() returns void language plpgsql as $$
begin
  raise sqlstate 'PGRST' using message = 'no JSON', detail = '{"status":402,"headers":{}}';
end $$;
create function refuse() returns void language plpgsql as $$
begin
  raise insufficient_privilege;
end $$;
grant execute on all functions in schema public to anon;
