-- Uploads that come in parts, by TUS or by S3's multipart protocol, until they are objects. A part
-- is a version of its own; the trigger notes it as discarded once its row goes, so that whatever
-- ends an upload frees its bytes. Nobody but the service sees these tables: whether somebody may go
-- on with an upload is asked of storage.objects, as for any upload.

create table storage.pending_uploads (
    id uuid primary key,
    protocol text not null check (protocol in ('tus', 's3')),
    bucket_id text not null references storage.buckets (id) on delete cascade,
    name text collate "C" not null,
    owner_id text,
    -- Bytes announced; null where they are not known yet.
    size bigint check (size >= 0),
    -- Bytes kept so far, from the first on. Parts of S3 come in any order and do not count here.
    received bigint not null default 0 check (received >= 0),
    upsert boolean not null default false,
    mimetype text not null,
    cache_control text not null,
    user_metadata jsonb,
    -- The header Upload-Metadata, which TUS gives back.
    upload_metadata text,
    -- What the object's bytes will be called, noted before its row is written.
    version text,
    finished boolean not null default false,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);

create index pending_uploads_expiry on storage.pending_uploads (expires_at);
create index pending_uploads_bucket on storage.pending_uploads (bucket_id, name);

create table storage.pending_parts (
    upload_id uuid not null references storage.pending_uploads (id) on delete cascade,
    -- Of TUS the offset of the part's first byte, of S3 the part's number.
    number bigint not null,
    version text not null,
    size bigint not null,
    sha256 bytea not null,
    md5 bytea not null,
    created_at timestamptz not null default now(),
    primary key (upload_id, number)
);

create index pending_parts_version on storage.pending_parts (version);

alter table storage.pending_uploads enable row level security;
alter table storage.pending_parts enable row level security;

create trigger discard_replaced_version
    after update of version on storage.pending_parts
    for each row
    when (old.version is distinct from new.version)
    execute function storage.discard_replaced_version();

create trigger discard_deleted_versions
    after delete on storage.pending_parts
    referencing old table as gone
    for each statement
    execute function storage.discard_deleted_versions();

create trigger discard_replaced_version
    after update of version on storage.pending_uploads
    for each row
    when (old.version is distinct from new.version and old.version is not null)
    execute function storage.discard_replaced_version();

create trigger discard_deleted_versions
    after delete on storage.pending_uploads
    referencing old table as gone
    for each statement
    execute function storage.discard_deleted_versions();

-- Images that were rendered from an object's bytes, kept until those bytes go.
create table storage.renditions (
    source_version text not null,
    -- What was asked for, in one spelling: `w=200,h=100,r=cover,q=80,f=webp`.
    transformation text not null,
    version text not null,
    mimetype text not null,
    size bigint not null,
    etag text not null,
    sha256 bytea not null,
    created_at timestamptz not null default now(),
    primary key (source_version, transformation)
);

create index renditions_version on storage.renditions (version);

alter table storage.renditions enable row level security;

create trigger discard_deleted_versions
    after delete on storage.renditions
    referencing old table as gone
    for each statement
    execute function storage.discard_deleted_versions();

-- Every version that something refers to, with what is known of its bytes.
create view storage.kept_versions with (security_invoker = true) as
    select version, sha256,
           case when jsonb_typeof(metadata -> 'size') = 'number'
               then (metadata ->> 'size')::numeric::bigint end as size
    from storage.objects where version is not null
    union all
    select version, sha256, size from storage.pending_parts
    union all
    select version, null, null from storage.pending_uploads where version is not null
    union all
    select version, sha256, size from storage.renditions;

-- Who keeps how much where, as far as the caller sees.
create view storage.usage with (security_invoker = true) as
    select bucket_id, owner_id, count(*) as objects,
           coalesce(sum(case when jsonb_typeof(metadata -> 'size') = 'number'
               then (metadata ->> 'size')::numeric end), 0)::bigint as bytes
    from storage.objects
    group by bucket_id, owner_id;

grant select on storage.usage to anon, authenticated, service_role;
