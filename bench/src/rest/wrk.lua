-- One kind of request for wrk. Arguments after "--": method, path, body, a file of bearer tokens or
-- an empty string, then headers as "name: value". A %d in the path takes a key from 1 to 1000.
local keys = 1000
local method, path, body
local headers, tokens = {}, {}
local key, token = 0, 0

function init(arguments)
  method, path, body = arguments[1], arguments[2], arguments[3]
  if body == "" then body = nil end
  if arguments[4] ~= "" then
    for line in io.lines(arguments[4]) do tokens[#tokens + 1] = "Bearer " .. line end
  end
  for i = 5, #arguments do
    local name, value = arguments[i]:match("^([^:]+): (.*)$")
    headers[name] = value
  end
end

function request()
  -- A full-period generator: every row, in no order.
  key = (key * 21 + 13) % keys
  if #tokens > 0 then
    token = token % #tokens + 1
    headers["authorization"] = tokens[token]
  end
  return wrk.format(method, path:format(key + 1), headers, body)
end

-- Requests, microseconds in all, p50 and p99 in microseconds, failures.
function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(("result %d %d %d %d %d\n"):format(
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
