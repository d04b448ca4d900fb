-- Buckets and objects as Supabase's tables have them, so that policies and queries written for it
-- work here. Columns of SelfDB's own follow after Supabase's.

create table storage.buckets (
    id text primary key,
    name text not null unique,
    owner uuid default auth.uid(),
    owner_id text default (auth.jwt() ->> 'sub'),
    public boolean not null default false,
    avif_autodetection boolean not null default false,
    file_size_limit bigint,
    allowed_mime_types text[],
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- Whether anybody may list the bucket, view its files and add to them. Counts only together
    -- with `public`: a bucket made private in either dialect is private in both.
    is_public boolean not null default false,
    -- Whether the bucket's owner rules it by the generated policies (made through /api/v1), or
    -- only the policies of the project do (made through Supabase's API).
    owner_managed boolean not null default false,
    description text,
    constraint buckets_name_length check (length(name) <= 100)
);

create table storage.objects (
    id uuid primary key default gen_random_uuid(),
    bucket_id text not null references storage.buckets (id),
    -- Compared by bytes: listing walks this order, and a prefix is a range of the unique index.
    name text collate "C" not null,
    owner uuid default auth.uid(),
    owner_id text default (auth.jwt() ->> 'sub'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    last_accessed_at timestamptz not null default now(),
    metadata jsonb,
    user_metadata jsonb,
    -- Names the immutable bytes; a new upload under the same name is a new version.
    version text,
    path_tokens text[] generated always as (string_to_array(name, '/')) stored,
    -- Whether anybody may view this one file, whatever its bucket is.
    is_public boolean not null default false,
    sha256 bytea,
    constraint objects_bucket_id_name_key unique (bucket_id, name)
);

-- The sweeper asks whether anything still refers to a version.
create index objects_version on storage.objects (version);
-- `GET /api/v1/files`: what one user uploaded, newest first.
create index objects_owner on storage.objects (owner_id, created_at);

alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;

grant usage on schema storage to anon, authenticated, service_role;
grant select, insert, update, delete on storage.buckets to anon, authenticated, service_role;
grant select, insert, update, delete on storage.objects to anon, authenticated, service_role;
