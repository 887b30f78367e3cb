local allowed, keep, after = cost > 0, 1, ''
for first = 3, #ARGV, NUMBERS do
  local is_there, state, keep_ms = count(first)
  if is_there == nil then
    return reply(2)
  end
  allowed = allowed and is_there
  keep = math.max(keep, keep_ms)
  after = after .. state
end
if done ~= size then
  return reply(2)
end
if not allowed then
  return reply(0)
end
redis.call('SET', KEYS[1], after, 'PX', keep)
return reply(1)
