create table customers (id int primary key, name text, city text, state text, joined_date date);
create table orders (
    id int primary key, customer_id int references customers, amount numeric, order_date date,
    order_details jsonb);
insert into customers values
    (1, 'Customer A', 'New York', 'NY', '2013-10-01'), (2, 'Customer B', 'Los Angeles', 'CA', '2023-10-15');
insert into orders values
    (1, 1, 100, '2023-09-01', '{"tax_amount": 1.5}'), (2, 1, 15.5, '2023-09-01', '{"tax_amount": 2}'),
    (3, 1, 5, '2023-09-02', null), (4, 2, 20, '2023-09-01', null);
