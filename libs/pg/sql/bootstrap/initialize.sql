-- The first time only: gives the instance its id and says so to whoever listens for events.
with first as (
    insert into selfdb.instance default values on conflict do nothing returning id
)
select selfdb.emit_event('SYSTEM_INITIALIZED', jsonb_build_object('instance_id', first.id))
  from first
