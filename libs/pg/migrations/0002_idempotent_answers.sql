-- Answers of writes that came with an Idempotency-Key, each stored in the transaction of its write.

create table selfdb.idempotent_answers (
    id bytea primary key check (octet_length(id) = 32),
    request bytea not null check (octet_length(request) = 32),
    status smallint not null,
    headers jsonb not null,
    body bytea not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index idempotent_answers_by_expiry on selfdb.idempotent_answers (expires_at);
comment on column selfdb.idempotent_answers.id is 'SHA-256 of who asked and of the key';
comment on column selfdb.idempotent_answers.request is 'SHA-256 of what was asked';
