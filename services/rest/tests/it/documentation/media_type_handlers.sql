create table lines (id int primary key, name text, geom text);
insert into lines values (1, 'line-1', 'a'), (2, 'line-2', 'b');
create domain "application/vnd.twkb" as bytea;
create function get_line(id int) returns "application/vnd.twkb" as $$
    select convert_to(geom, 'UTF8') from lines where id = get_line.id
$$ language sql;
create function twkb_handler_transition(state bytea, next lines) returns "application/vnd.twkb" as $$
    select state || convert_to(next.geom, 'UTF8')
$$ language sql;
create aggregate twkb_agg(lines) (
    initcond = '', stype = "application/vnd.twkb", sfunc = twkb_handler_transition);
create function get_lines() returns setof lines as $$ select * from lines $$ language sql;

create domain "text/csv" as text;
create function bom_csv_trans(state text, next lines) returns "text/csv" as $$
    select state || next.id::text || ',' || next.name || ',' || next.geom || E'\n'
$$ language sql;
create function bom_csv_final(data "text/csv") returns "text/csv" as $$
    select set_config('response.headers', '[{"Content-Disposition": "attachment; filename=\"lines.csv\""}]', true);
    select convert_from(decode(E'EFBBBF', 'hex'), 'UTF8') || (E'id,name,geom\n' || data);
$$ language sql;
create aggregate bom_csv_agg(lines) (
    initcond = '', stype = "text/csv", sfunc = bom_csv_trans, finalfunc = bom_csv_final);

create domain "*/*" as bytea;
create view "lines.xml" as select * from lines;
create function lines_xml_trans(state "*/*", next "lines.xml") returns "*/*" as $$
    select state || xmlelement(name line, xmlattributes(next.id as id, next.name as name), next.geom)::text::bytea || E'\n'
$$ language sql;
create function lines_xml_final(data "*/*") returns "*/*" as $$
declare
  req_accept text := current_setting('request.headers', true)::json ->> 'accept';
begin
  if req_accept = '*/*' then
    perform set_config('response.headers', json_build_array(json_build_object('Content-Type', 'text/xml'))::text, true);
  elsif req_accept in ('application/xml', 'text/xml') then
    perform set_config('response.headers', json_build_array(json_build_object('Content-Type', req_accept))::text, true);
  else
    raise sqlstate 'PT415' using message = 'Unsupported Media Type';
  end if;
  return data;
end; $$ language plpgsql;
create aggregate lines_xml_agg("lines.xml") (
    initcond = '', stype = "*/*", sfunc = lines_xml_trans, finalfunc = lines_xml_final);

-- It says nothing of its type.
create function any_line() returns "*/*" as $$ select 'any'::bytea $$ language sql;
