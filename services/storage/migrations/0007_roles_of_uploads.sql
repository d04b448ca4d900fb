-- Whose an upload is, is told by its role and its subject: the service and whoever is not signed in
-- have no subject, and must not be taken for each other.
alter table storage.pending_uploads add column role text;

update storage.pending_uploads
set role = case when owner_id is null then 'service_role' else 'authenticated' end;

alter table storage.pending_uploads alter column role set not null;
