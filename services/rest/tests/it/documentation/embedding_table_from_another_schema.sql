create table public.people (id int primary key, full_name text);
create schema private;
create table private.details (
    id int primary key references public.people, email text, phone text, birthday date,
    occupation text, company text);
create view public.public_details with (security_invoker = false) as
    select id, occupation, company from private.details;
insert into public.people values (1, 'John Doe'), (2, 'Jane Doe');
insert into private.details values
    (1, 'jhon@fake.com', '772-323-5433', '1990-02-01', 'Transportation attendant', 'Body Fate'),
    (2, 'jane@fake.com', '480-474-6571', '1980-04-21', 'Geotechnical engineer', 'Earthworks Garden Kare');
