-- Only the owner and the dashboard read these tables: API roles hold no privilege on any of them,
-- and row-level security without a policy refuses them even where somebody grants one.

alter table auth.users enable row level security;
alter table auth.identities enable row level security;
alter table auth.sessions enable row level security;
alter table auth.mfa_amr_claims enable row level security;
alter table auth.refresh_tokens enable row level security;
alter table auth.audit_log_entries enable row level security;

revoke all on all tables in schema auth from public, anon, authenticated, service_role;
revoke all on all sequences in schema auth from public, anon, authenticated, service_role;

grant all on all tables in schema auth to dashboard_user;
grant all on all sequences in schema auth to dashboard_user;
