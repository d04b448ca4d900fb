create table actors (id int primary key, first_name text, last_name text);
create table directors (id int primary key, first_name text, last_name text);
create table films (
    id int primary key, director_id int references directors (id),
    title text, year int, rating numeric(3, 1), language text);
create table technical_specs (
    film_id int references films (id) primary key, runtime time, camera text, sound text);
create table roles (
    film_id int references films (id), actor_id int references actors (id), character text,
    primary key (film_id, actor_id));
create table competitions (id int primary key, name text, year int);
create table nominations (
    competition_id int references competitions (id), film_id int references films (id), rank int,
    primary key (competition_id, film_id));
insert into directors values
    (1, 'William', 'Dickson'), (2, 'Louis', 'Lumière'), (3, 'Georges', 'Méliès'), (40, 'Danny', 'Boyle');
insert into films values
    (1, 2, 'Workers Leaving The Lumière Factory In Lyon', 1895, 6.9, 'silent'),
    (2, 1, 'The Dickson Experimental Sound Film', 1894, 6.7, 'silent'),
    (3, 3, 'The Haunted Castle', 1896, 6.7, 'silent'),
    (4, null, 'The Lighthouse', 2019, 7.4, 'english');
insert into actors values (1, 'Willem', 'Dafoe'), (2, 'Jehanne', 'd''Alcy'), (3, 'Tom', 'Baker'), (4, 'Robert', 'Pattinson');
insert into roles values (4, 1, 'Thomas Wake'), (3, 2, 'Woman'), (4, 4, 'Winslow'), (3, 3, 'Gummo');
insert into technical_specs values (4, '1:49', 'Arriflex 35-III', 'Mono');
insert into competitions values (1, 'Oscars', 1990), (2, 'Cannes', 1991);
insert into nominations values (1, 4, 5), (2, 4, 1), (2, 3, 5);

create table premieres (id int, location text, "date" date, film_id int);
insert into premieres values (1, 'Cannes Film Festival', '2019-05-19', 4);
create function film(premieres) returns setof films rows 1 as $$
    select * from films where id = $1.film_id
$$ stable language sql;
create function premieres(films) returns setof premieres as $$
    select * from premieres where film_id = $1.id
$$ stable language sql;

create table addresses (id int primary key, name text, city text, state text, postal_code char(5));
create table orders (
    id int primary key, name text, billing_address_id int, shipping_address_id int,
    constraint billing foreign key (billing_address_id) references addresses (id),
    constraint shipping foreign key (shipping_address_id) references addresses (id));
insert into addresses values (1, '32 Glenlake Dr.Dearborn, MI 48124'), (2, '30 Glenlake Dr.Dearborn, MI 48124');
insert into orders values (1, 'Personal Water Filter', 1, 2), (2, 'Coffee Machine', 1, 1);

create table presidents (
    id int primary key, first_name text, last_name text,
    predecessor_id int references presidents (id) unique);
insert into presidents values
    (1, 'George', 'Washington', null), (2, 'John', 'Adams', 1), (3, 'Thomas', 'Jefferson', 2);
create function predecessor(presidents) returns setof presidents rows 1 as $$
    select * from presidents where id = $1.predecessor_id
$$ stable language sql;
create function successor(presidents) returns setof presidents rows 1 as $$
    select * from presidents where predecessor_id = $1.id
$$ stable language sql;

create table employees (
    id int primary key, first_name text, last_name text,
    supervisor_id int references employees (id));
insert into employees values (1, 'Ann', 'Taylor', null), (2, 'Bob', 'Johnson', 1), (3, 'Cid', 'Miller', 1);
create function supervisees(employees) returns setof employees as $$
    select * from employees where supervisor_id = $1.id
$$ stable language sql;
create function supervisor(employees) returns setof employees rows 1 as $$
    select * from employees where id = $1.supervisor_id
$$ stable language sql;

create table users (id int primary key, first_name text, last_name text, username text unique);
create table subscriptions (
    subscriber_id int references users (id), subscribed_id int references users (id), type text,
    primary key (subscriber_id, subscribed_id));
insert into users values (1, null, null, 'patrick109'), (2, null, null, 'alicia_smith'), (3, null, null, 'top_streamer'), (4, null, null, 'the_top_artist');
insert into subscriptions values (1, 4), (2, 4), (4, 3);
create function subscribers(users) returns setof users as $$
    select u.* from users u, subscriptions s where s.subscriber_id = u.id and s.subscribed_id = $1.id
$$ stable language sql;
create function following(users) returns setof users as $$
    select u.* from users u, subscriptions s where s.subscribed_id = u.id and s.subscriber_id = $1.id
$$ stable language sql;

create table box_office (
    bo_date date not null, film_id int references films not null, gross_revenue decimal(12, 2) not null,
    primary key (bo_date, film_id)) partition by range (bo_date);
create table box_office_2021_01 partition of box_office for values from ('2021-01-01') to ('2021-01-31');
create table box_office_2021_02 partition of box_office for values from ('2021-02-01') to ('2021-02-28');
insert into box_office values ('2021-01-06', 4, 1000000), ('2021-02-06', 4, 200);

create view nominations_view as
    select films.title as film_title, competitions.name as competition_name, nominations.rank,
           nominations.film_id as nominations_film_id, films.id as film_id
      from nominations
      join films on films.id = nominations.film_id
      join competitions on competitions.id = nominations.competition_id;
create view nominations_chain as select * from nominations_view;
create function getallfilms() returns setof films as $$ select * from films $$ language sql stable;
