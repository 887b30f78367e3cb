local before = redis.call('GET', KEYS[1]) or ''
-- What is not there has no time to live to keep.
if before ~= ARGV[1] or (before == '' and ARGV[3] == '') then
  return 0
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
elseif ARGV[3] == '' then
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1
