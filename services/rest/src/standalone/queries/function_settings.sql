select name, pg_catalog.current_setting(name, true)
  from unnest($1::text[]) name
 where nullif(pg_catalog.current_setting(name, true), '') is not null
