-- A line for each time a write was applied, whatever the writer was told.
create table public.ledger (mark text not null);
create table public.entries (id bigint generated always as identity primary key, mark text);
create table public.accounts (id int primary key, mark text);
insert into public.accounts select generate_series(1, 100);
create function public.note() returns trigger language plpgsql as $$
begin
  insert into public.ledger values (new.mark);
  return null;
end $$;
create trigger note after insert on public.entries for each row execute function public.note();
create trigger note after insert or update on public.accounts
  for each row execute function public.note();
create function public.record(mark text) returns void language sql as $$
  insert into public.ledger values (record.mark)
$$;
