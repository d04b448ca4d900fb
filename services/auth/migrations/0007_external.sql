-- Sign-ins by other providers: which browser began one, and that it comes back once.

alter table auth.flow_state add column browser_hash text;
alter table auth.flow_state add column consumed_at timestamptz;

comment on column auth.flow_state.browser_hash is
    'The SHA-256 of the cookie of the browser that began; none where a user began it, signed in.';
