create table people (id int primary key);
insert into people select generate_series(1, 18);
create table smalltable (id int primary key);
insert into smalltable select generate_series(1, 321);
create table bigtable (id int primary key);
insert into bigtable select generate_series(1, 20000);
analyze;
