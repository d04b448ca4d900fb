create table items (id int primary key, bin_data bytea);
insert into items values (1, 'bytes'), (2, null);
create table people (name text, age int);
insert into people values ('Ann', null);
