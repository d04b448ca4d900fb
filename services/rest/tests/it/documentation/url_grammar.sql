create table "موارد" (id int);
insert into "موارد" values (1);
create table "Order Items" (id int, "Unit Price" numeric);
insert into "Order Items" values (1, 100), (2, 300);
create table employees (id int, name text);
insert into employees values (1, 'Hebdon,John'), (2, 'Williams,Mary'), (3, 'Other');
create table vulnerabilities (id int, "information.cpe" text);
insert into vulnerabilities values (1, 'cpe:MS:office'), (2, 'other');
create table marks (id int, name text);
insert into marks values (1, 'Quote:"'), (2, 'Backslash:\'), (3, 'x');
create table users (
    username text, is_active boolean,
    status text generated always as (case when is_active then 'Active User' else 'Inactive User' end) stored);
insert into users values ('ann', true), ('bob', false);
