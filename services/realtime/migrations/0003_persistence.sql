-- Messages of clients that asked for them to be kept: they were told already when they are written,
-- and may be kept for less time than others.
alter table realtime.messages
    add column skip_broadcast boolean not null default false,
    add column expires_at timestamp;

drop trigger emit_broadcast on realtime.messages;
create trigger emit_broadcast after insert on realtime.messages
    for each row when (new.extension = 'broadcast' and not new.skip_broadcast)
    execute function realtime.emit_broadcast();
