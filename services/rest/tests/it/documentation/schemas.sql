create schema tenant1;
create schema tenant2;
create table tenant1.items (id int primary key);
create table tenant2.items (id int primary key);
insert into tenant1.items values (1);
insert into tenant2.items values (2);
create function tenant2.whose() returns text as $$ select 'two' $$ language sql immutable;
grant usage on schema tenant1, tenant2 to service_role;
grant all on all tables in schema tenant1, tenant2 to service_role;
