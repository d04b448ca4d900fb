-- Answers kept for an Idempotency-Key. The table has no grants: the logins of REST, before they take
-- on a role, have these functions, which answer nothing but to the digest of caller and key. Roles
-- of the API have no way into the schema.

-- Takes the key `id` for this transaction and tells what is known of it: `busy` (another
-- transaction has it), `new`, `other` (it was used for another request) or `kept`, with the answer.
create or replace function selfdb.take_idempotency_key(id text, request text)
returns table (state text, status smallint, headers text, body text)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    wanted bytea := decode(id, 'hex');
    kept record;
begin
    if not pg_try_advisory_xact_lock(('x' || left(id, 16))::bit(64)::bigint) then
        return query select 'busy', null::smallint, null, null;
        return;
    end if;
    -- A statement after the lock sees what its last holder committed.
    delete from selfdb.idempotent_answers a where a.id = wanted and a.expires_at <= now();
    select * into kept from selfdb.idempotent_answers a where a.id = wanted;
    if not found then
        return query select 'new', null::smallint, null, null;
    elsif kept.request <> decode(take_idempotency_key.request, 'hex') then
        return query select 'other', null::smallint, null, null;
    else
        return query
            select 'kept', kept.status, kept.headers::text, encode(kept.body, 'hex');
    end if;
end
$$;

create or replace function selfdb.keep_idempotent_answer(
    id text, request text, status smallint, headers jsonb, body text, seconds bigint)
returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    insert into selfdb.idempotent_answers (id, request, status, headers, body, expires_at)
    values (decode($1, 'hex'), decode($2, 'hex'), $3, $4, decode($5, 'hex'),
            now() + make_interval(secs => $6))
$$;

-- Forgets what is over, at most `most` answers at a time, and tells how many.
create or replace function selfdb.forget_idempotent_answers(most integer)
returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    with gone as (
        delete from selfdb.idempotent_answers a
         where a.id in (select o.id from selfdb.idempotent_answers o
                         where o.expires_at <= now()
                         order by o.expires_at limit $1
                           for update skip locked)
        returning 1)
    select count(*) from gone
$$;

revoke all on function selfdb.take_idempotency_key(text, text),
    selfdb.keep_idempotent_answer(text, text, smallint, jsonb, text, bigint),
    selfdb.forget_idempotent_answers(integer) from public;
grant usage on schema selfdb to authenticator, service_authenticator;
grant execute on function selfdb.take_idempotency_key(text, text),
    selfdb.keep_idempotent_answer(text, text, smallint, jsonb, text, bigint),
    selfdb.forget_idempotent_answers(integer) to authenticator, service_authenticator;
