-- What versions import from registries, as it was when they were deployed: each package once,
-- however many versions have it.

create table functions.packages (
    hash text primary key,
    content bytea not null,
    created_at timestamptz not null default now()
);
comment on table functions.packages is
    'Files of packages, packed; the hash is the SHA-256 of the content in hexadecimal digits';

create table functions.version_packages (
    function_id uuid not null,
    number integer not null,
    part text not null,
    hash text not null references functions.packages,
    primary key (function_id, number, part),
    foreign key (function_id, number) references functions.versions on delete cascade
);
create index version_packages_hash on functions.version_packages (hash);

create trigger never_changes before update on functions.packages
    for each row execute function functions.refuse_change();
create trigger never_changes before update on functions.version_packages
    for each row execute function functions.refuse_change();
