create or replace function root() returns json as $_$
declare
openapi json = $$
  {
    "swagger": "2.0",
    "info": {
      "title": "Overridden",
      "description": "This is a my own API"
    }
  }
$$;
begin
  return openapi;
end
$_$ language plpgsql;
