-- Passkeys: the public keys that users sign in with, and what browsers were asked.

create table auth.webauthn_credentials (
    id uuid not null primary key,
    user_id uuid not null references auth.users (id) on delete cascade,
    credential_id text not null,
    credential jsonb not null,
    friendly_name text not null default '',
    created_at timestamptz not null,
    updated_at timestamptz not null,
    last_used_at timestamptz,
    constraint webauthn_credentials_credential_id_key unique (credential_id)
);

comment on table auth.webauthn_credentials is 'The passkeys that users sign in with.';
comment on column auth.webauthn_credentials.credential_id is
    'What the authenticator calls the key, in base64url.';
comment on column auth.webauthn_credentials.credential is
    'The public key, its signature counter, and what was said of it at its registration.';

create index webauthn_credentials_user_id_idx on auth.webauthn_credentials (user_id);

create table auth.webauthn_challenges (
    id uuid not null primary key,
    user_id uuid references auth.users (id) on delete cascade,
    challenge_type text not null check (challenge_type in ('registration', 'authentication')),
    session_data jsonb not null,
    created_at timestamptz not null,
    expires_at timestamptz not null
);

comment on table auth.webauthn_challenges is
    'What browsers were asked; a row is taken by the first answer, whether or not it holds.';

create index webauthn_challenges_created_at_idx on auth.webauthn_challenges (created_at desc);
create index webauthn_challenges_user_id_idx on auth.webauthn_challenges (user_id);

alter table auth.webauthn_credentials enable row level security;
alter table auth.webauthn_challenges enable row level security;
revoke all on auth.webauthn_credentials, auth.webauthn_challenges
    from public, anon, authenticated, service_role;
grant all on auth.webauthn_credentials, auth.webauthn_challenges to dashboard_user;
