local allowed, keep, after = cost > 0, 1, {}
for first = 3, #ARGV, NUMBERS do
  local is_there, state, keep_ms = count(first)
  if is_there == nil then
    return {2, before, now}
  end
  allowed = allowed and is_there
  keep = math.max(keep, keep_ms)
  after[#after + 1] = state
end
if before ~= '' and at ~= #before + 1 then
  return {2, before, now}
end
if not allowed then
  return {0, before, now}
end
redis.call('SET', KEYS[1], table.concat(after), 'PX', string.format('%.0f', keep))
return {1, before, now}
