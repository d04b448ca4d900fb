do $$
begin
    execute format('alter role %I with password %L',
                   current_setting('selfdb.role'), current_setting('selfdb.verifier'));
end
$$
