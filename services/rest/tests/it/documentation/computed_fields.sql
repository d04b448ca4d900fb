create table people (first_name text, last_name text, job text);
insert into people values ('Samuel', 'Beckett', 'novelist'), ('Ada', 'Lovelace', 'mathematician');
create function full_name(people) returns text as $$
    select $1.first_name || ' ' || $1.last_name
$$ language sql immutable;
create index people_full_name_idx on people using gin (to_tsvector('english', full_name(people)));
