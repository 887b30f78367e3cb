local now, cost = tonumber(ARGV[1]), tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local before = redis.call('GET', KEYS[1]) or ''
local function reply(outcome)
  return struct.pack('>BI6', outcome, now) .. before
end

-- How much of the state has been read, and all of it.
local done, size = 0, #before
-- Counts one limit, whose numbers stand in ARGV from `first`: whether the cost is there, the state
-- afterwards, and for how many milliseconds that says something. Nothing for a state of another limit.
local count
