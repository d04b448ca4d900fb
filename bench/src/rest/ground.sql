create table public.items (
    id int primary key, owner uuid, name text, price numeric(10, 2), tags text[], meta jsonb,
    created_at timestamptz default now());
select selfdb.set_table_public('public.items', true);
create table public.own_items (like public.items including all);
alter table public.own_items enable row level security;
create policy own on public.own_items to authenticated using (owner = (select auth.uid()));
create table public.written (
    id bigint generated always as identity primary key, item int, name text,
    owner uuid default auth.uid());
alter table public.written enable row level security;
create policy own on public.written to authenticated
    using (owner = (select auth.uid())) with check (owner = (select auth.uid()));
grant all on public.items, public.own_items, public.written to anon, authenticated;
insert into public.items
    select g, '5b1f2c1e-6f0a-4b8e-9d1e-0b6f0d1c2a3b', 'item number ' || g, g * 1.5,
           array['red', 'green'], '{"a": 1, "b": [1, 2]}'
      from generate_series(1, 1000) g;
insert into public.own_items select * from public.items;
create table public.pages (id int primary key, body text);
select selfdb.set_table_public('public.pages', true);
analyze;
