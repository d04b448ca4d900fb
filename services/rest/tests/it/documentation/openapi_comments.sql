create schema mammals;
create table mammals.monotremes (id int primary key, has_venomous_claw boolean);
create table mammals.entities (id int primary key);
grant usage on schema mammals to anon, service_role;
grant all on all tables in schema mammals to service_role;
comment on schema mammals is
  'A warm-blooded vertebrate animal of a class that is distinguished by the secretion of milk by females for the nourishment of the young';
comment on table mammals.monotremes is
  'Freakish mammals lay the best eggs for breakfast';
comment on column mammals.monotremes.has_venomous_claw is
  'Sometimes breakfast is not worth it';
comment on table mammals.entities is
  $$Entities summary

Entities description that
spans
multiple lines$$;
