-- What `is_public` and ownership mean, as policies: nothing in the services decides it. They grant
-- nothing on buckets that only Supabase's API made: `public` alone opens downloads by the public
-- URL and nothing else.

create function storage.caller() returns text
language sql stable
return nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub';

create policy "selfdb: anyone lists public buckets" on storage.buckets
    for select to anon, authenticated
    using (public and is_public);

create policy "selfdb: owners rule their buckets" on storage.buckets
    for all to authenticated
    using (owner_managed and owner_id = (select storage.caller()))
    with check (owner_managed and owner_id = (select storage.caller()));

create policy "selfdb: anyone views public files" on storage.objects
    for select to anon, authenticated
    using (
        is_public
        or bucket_id in (select b.id from storage.buckets b where b.public and b.is_public)
    );

create policy "selfdb: anyone adds to public buckets" on storage.objects
    for insert to anon, authenticated
    with check (
        owner_id is not distinct from (select storage.caller())
        and bucket_id in (select b.id from storage.buckets b where b.public and b.is_public)
    );

-- A file in somebody's own bucket, or one's own file in a public one.
create policy "selfdb: owners see files" on storage.objects
    for select to authenticated
    using (
        bucket_id in (
            select b.id from storage.buckets b
            where b.owner_managed and b.owner_id = (select storage.caller())
        )
    );

create policy "selfdb: owners add files" on storage.objects
    for insert to authenticated
    with check (
        owner_id = (select storage.caller())
        and bucket_id in (
            select b.id from storage.buckets b
            where b.owner_managed and b.owner_id = (select storage.caller())
        )
    );

create policy "selfdb: owners change files" on storage.objects
    for update to authenticated
    using (
        owner_id = (select storage.caller())
        and bucket_id in (
            select b.id from storage.buckets b
            where (b.public and b.is_public)
               or (b.owner_managed and b.owner_id = (select storage.caller()))
        )
    )
    with check (
        owner_id = (select storage.caller())
        and bucket_id in (
            select b.id from storage.buckets b
            where (b.public and b.is_public)
               or (b.owner_managed and b.owner_id = (select storage.caller()))
        )
    );

-- The owner of a bucket may clear it of what others put there.
create policy "selfdb: owners delete files" on storage.objects
    for delete to authenticated
    using (
        (
            owner_id = (select storage.caller())
            and bucket_id in (select b.id from storage.buckets b where b.public and b.is_public)
        )
        or bucket_id in (
            select b.id from storage.buckets b
            where b.owner_managed and b.owner_id = (select storage.caller())
        )
    );
