local now, cost = tonumber(ARGV[1]), tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local before = redis.call('GET', KEYS[1]) or ''
local at = 1
-- The next fields of the state, or nothing where it ends too early.
local function read(format, size)
  if at + size - 1 > #before then
    return nil
  end
  at = at + size
  return struct.unpack(format, before, at - size)
end

-- Counts one limit, whose numbers stand in ARGV from `first`: whether the cost is there, the state
-- afterwards, and for how many milliseconds that says something. Nothing for a state of another limit.
local count
