create function my_soap_endpoint(xml) returns xml as $$
declare
  nsarray constant text[][] := array[
    array['soapenv', 'http://schemas.xmlsoap.org/soap/envelope/']];
begin
  return xmlelement(
    name "soapenv:Envelope",
    xmlattributes('http://schemas.xmlsoap.org/soap/envelope/' as "xmlns:soapenv"),
    xmlelement(name "soapenv:Header"),
    xmlelement(name "soapenv:Body",
      xmlelement(name therequestbodywas,
        (xpath('/soapenv:Envelope/soapenv:Body', $1, nsarray))[1])));
end;
$$ language plpgsql;

create function _soap_envelope(body xml) returns xml language sql as $function$
  select xmlelement(
    name "soapenv:Envelope",
    xmlattributes('http://schemas.xmlsoap.org/soap/envelope/' as "xmlns:soapenv"),
    xmlelement(name "soapenv:Header"),
    xmlelement(name "soapenv:Body", body));
$function$;

create function _soap_exception(faultcode text, faultstring text) returns xml language sql as $function$
  select _soap_envelope(
    xmlelement(name "soapenv:Fault",
      xmlelement(name "faultcode", faultcode),
      xmlelement(name "faultstring", faultstring)));
$function$;

create function fraction_to_decimal(xml) returns xml language plpgsql as $function$
declare
  nsarray constant text[][] := array[
    array['soapenv', 'http://schemas.xmlsoap.org/soap/envelope/']];
  exc_msg text;
  exc_detail text;
  exc_hint text;
  exc_sqlstate text;
begin
  return _soap_envelope(xmlelement(name "decimalValue", (
    (xpath('/soapenv:Envelope/soapenv:Body/fraction/numerator/text()', $1, nsarray))[1]::text::int
    / (xpath('/soapenv:Envelope/soapenv:Body/fraction/denominator/text()', $1, nsarray))[1]::text::int
  )::text::xml));
exception when others then
  get stacked diagnostics
    exc_msg := message_text,
    exc_detail := pg_exception_detail,
    exc_hint := pg_exception_hint,
    exc_sqlstate := returned_sqlstate;
  return _soap_exception(
    faultcode => exc_sqlstate,
    faultstring => concat(exc_msg, ', DETAIL: ', exc_detail, ', HINT: ', exc_hint));
end
$function$;
