create table people (id int primary key, name text);
create table keyless (id int);
create view people_view as select * from people;
create view counted as select count(*) from people;
create function stable_one() returns int as $$ select 1 $$ language sql stable;
create function volatile_one() returns int as $$ select 1 $$ language sql volatile;
