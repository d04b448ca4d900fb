select coalesce(json_agg(name), '[]')::text from pg_catalog.pg_timezone_names
