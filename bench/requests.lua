-- For wrk: sends the requests listed in the file that MILEPOST_BENCH_REQUESTS names, in random
-- order. A line is: method, path, content, then fields as `name: value`, separated by tabs.
local requests = {}

function init(arguments)
  math.randomseed(20)
  for line in io.lines(os.getenv("MILEPOST_BENCH_REQUESTS")) do
    local columns = {}
    for column in (line .. "\t"):gmatch("([^\t]*)\t") do
      columns[#columns + 1] = column
    end
    local fields = {}
    for at = 4, #columns do
      local name, value = columns[at]:match("^([^:]+): (.*)$")
      fields[name] = value
    end
    local content = columns[3] ~= "" and columns[3] or nil
    requests[#requests + 1] = wrk.format(columns[1], columns[2], fields, content)
  end
end

function request()
  return requests[math.random(#requests)]
end

function done(summary, latency, requests)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("measured %.1f %d %d %.3f %.3f\n",
    summary.requests / summary.duration * 1e6, errors.status, broken,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
