-- Who did what, from where: one row an event.

create table auth.audit_log_entries (
    instance_id uuid,
    id uuid not null primary key,
    payload json,
    created_at timestamptz,
    ip_address varchar(64) not null default ''
);

comment on table auth.audit_log_entries is 'What happened to users and their sessions.';

create index audit_log_entries_created_at_idx on auth.audit_log_entries (created_at desc);
