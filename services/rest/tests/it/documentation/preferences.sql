create table projects (id int primary key, name text);
insert into projects values (1, 'One'), (2, 'Two'), (3, 'Three');
create table timestamps (t timestamptz);
insert into timestamps values ('2023-10-18 12:37:59.611Z'), ('2023-10-18 14:37:59.611Z');
