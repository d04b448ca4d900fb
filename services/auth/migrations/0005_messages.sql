-- What is sent to users to prove an address or number with, and what waits for such a proof.

create type auth.code_challenge_method as enum ('s256', 'plain');

create table auth.flow_state (
    id uuid not null primary key,
    user_id uuid references auth.users (id) on delete cascade,
    auth_code text,
    code_challenge_method auth.code_challenge_method,
    code_challenge text,
    provider_type text not null,
    provider_access_token text,
    provider_refresh_token text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    authentication_method text not null,
    auth_code_issued_at timestamptz,
    linking_target_id uuid references auth.users (id) on delete cascade,
    referrer text
);

comment on table auth.flow_state is 'Sign-ins that a client began and comes back to with a code.';
comment on column auth.flow_state.auth_code is
    'The SHA-256 of the code, in hexadecimal; the code itself is nowhere.';

create index flow_state_created_at_idx on auth.flow_state (created_at desc);
create unique index flow_state_auth_code_idx on auth.flow_state (auth_code);
create index flow_state_user_id_idx on auth.flow_state (user_id);

create type auth.one_time_token_type as enum (
    'confirmation_token', 'reauthentication_token', 'recovery_token',
    'email_change_token_new', 'email_change_token_current', 'phone_change_token'
);

create table auth.one_time_tokens (
    id uuid not null primary key,
    user_id uuid not null references auth.users (id) on delete cascade,
    token_type auth.one_time_token_type not null,
    token_hash text not null check (char_length(token_hash) > 0),
    relates_to text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    code_hash text not null,
    flow_state_id uuid references auth.flow_state (id) on delete set null,
    provider_reference text
);

comment on table auth.one_time_tokens is 'What was sent to users and not been used, hashed.';
comment on column auth.one_time_tokens.token_hash is 'The SHA-256 of what the link has.';
comment on column auth.one_time_tokens.code_hash is
    'The code to be typed, with the address it was sent to, under a key that is not in the database.';
comment on column auth.one_time_tokens.relates_to is 'The address or number it was sent to.';

create unique index one_time_tokens_user_id_token_type_key
    on auth.one_time_tokens (user_id, token_type);
create index one_time_tokens_token_hash_idx on auth.one_time_tokens (token_hash);

create index users_email_change_idx on auth.users (lower(email_change::text))
    where email_change <> '';
create index users_phone_change_idx on auth.users (phone_change) where phone_change <> '';

alter table auth.flow_state enable row level security;
alter table auth.one_time_tokens enable row level security;
revoke all on auth.flow_state, auth.one_time_tokens
    from public, anon, authenticated, service_role;
grant all on auth.flow_state, auth.one_time_tokens to dashboard_user;
