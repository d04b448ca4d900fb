-- Sessions, how each was authenticated, and their refresh tokens.

create type auth.aal_level as enum ('aal1', 'aal2', 'aal3');

create table auth.sessions (
    id uuid not null primary key,
    user_id uuid not null references auth.users (id) on delete cascade,
    created_at timestamptz,
    updated_at timestamptz,
    factor_id uuid,
    aal auth.aal_level,
    not_after timestamptz,
    refreshed_at timestamptz,
    user_agent text,
    ip inet,
    tag text,
    oauth_client_id uuid,
    refresh_token_hmac_key text,
    refresh_token_counter bigint,
    scopes text
);

comment on table auth.sessions is 'Each sign-in of a user, until it is signed out.';
comment on column auth.sessions.not_after is
    'When the session ends; null is never.';
comment on column auth.sessions.refresh_token_hmac_key is
    'The session''s part of what its refresh tokens are derived from; worth nothing without the server''s key.';
comment on column auth.sessions.refresh_token_counter is
    'The generation of the active refresh token.';

create index sessions_user_id_idx on auth.sessions (user_id);
create index sessions_not_after_idx on auth.sessions (not_after desc);

create table auth.mfa_amr_claims (
    session_id uuid not null references auth.sessions (id) on delete cascade,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    authentication_method text not null,
    id uuid not null primary key,
    constraint mfa_amr_claims_session_id_authentication_method_pkey
        unique (session_id, authentication_method)
);

comment on table auth.mfa_amr_claims is 'How the user of a session proved who they are, and when.';

create table auth.refresh_tokens (
    instance_id uuid,
    id bigserial not null primary key,
    token varchar(255),
    user_id varchar(255),
    revoked boolean,
    created_at timestamptz,
    updated_at timestamptz,
    parent varchar(255),
    session_id uuid references auth.sessions (id) on delete cascade,
    constraint refresh_tokens_token_unique unique (token)
);

comment on table auth.refresh_tokens is 'The refresh tokens of each session, hashed.';
comment on column auth.refresh_tokens.token is
    'The SHA-256 of the token, in hexadecimal; the token itself is nowhere.';
comment on column auth.refresh_tokens.parent is
    'The SHA-256 of the token that this one replaced.';

create index refresh_tokens_session_id_revoked_idx on auth.refresh_tokens (session_id, revoked);
create index refresh_tokens_updated_at_idx on auth.refresh_tokens (updated_at desc);
