create function add_them(a integer, b integer) returns integer as $$ select a + b $$ language sql immutable;
create function "someFunc"("someParam" text) returns text as $$ select "someParam" $$ language sql immutable;
create table data_table (data_int_column int primary key, data_text_column text);
insert into data_table values (1, null), (2, null);
create function update_data(p_json jsonb) returns void as $$
    update data_table set data_text_column = item ->> 'data_text'
      from jsonb_array_elements(p_json) as item
     where data_int_column = (item ->> 'data_int')::integer
$$ language sql;
create function mult_them(json) returns int as $$
    select ($1 ->> 'x')::int * ($1 ->> 'y')::int
$$ language sql;
create table files (blob bytea);
create function upload_binary(bytea) returns void as $$ insert into files (blob) values ($1) $$ language sql;
create function shout(text) returns text as $$ select upper($1) $$ language sql;
create function root_name(xml) returns text as $$ select (xpath('name(/*)', $1))[1]::text $$ language sql;
create function plus_one(arr int[]) returns int[] as $$
    select array_agg(n + 1) from unnest($1) as n
$$ language sql;
create function plus_many(variadic v int[]) returns int[] as $$
    select array_agg(n + 1) from unnest($1) as n
$$ language sql immutable;
create table directors (id int primary key, name text);
create table films (id int primary key, title text, rating numeric, director_id int references directors);
insert into directors values (1, 'Villeneuve');
insert into films values (1, 'Okja', 7.4, null), (2, 'Call me by your name', 8, null), (3, 'Blade Runner 2049', 8.1, 1);
create function best_films_2017() returns setof films as $$ select * from films order by id $$ language sql stable;
create table projects (id int primary key, name text, client_id int);
insert into projects values (1, 'Windows 7', 1), (2, 'Windows 10', 1), (3, 'IOS', 2);
create function projects_setof_record() returns setof record as $$ select * from projects $$ language sql stable;
create function rental_duration(customer_id integer) returns int as $$ select 1 $$ language sql stable;
create function rental_duration(customer_id integer, from_date date) returns int as $$ select 2 $$ language sql stable;
create function ambiguous(a int) returns int as $$ select 1 $$ language sql stable;
create function ambiguous(a text) returns int as $$ select 2 $$ language sql stable;
