create table public.open_rows (id bigint generated always as identity primary key, at bigint);
select selfdb.set_table_public('public.open_rows', true);
create table public.own_rows (
    id bigint generated always as identity primary key, user_id uuid, at bigint);
alter table public.own_rows enable row level security;
create policy own on public.own_rows for select to authenticated using (auth.uid() = user_id);
grant select on public.own_rows to authenticated;
alter publication supabase_realtime add table public.open_rows, public.own_rows
