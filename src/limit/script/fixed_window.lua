
function count(first)
  local amount, period = tonumber(ARGV[first]), tonumber(ARGV[first + 1])
  local start, used = now, 0
  if before ~= '' then
    if done + 19 > size then
      return nil
    end
    local version, a, p, s, c = struct.unpack('>BI4I4I6I4', before, done + 1)
    done = done + 19
    if version ~= VERSION or a ~= amount or p ~= period or c > amount then
      return nil
    end
    if c > 0 and now < s + period * 1000 then
      start, used = s, c
    end
  end
  used = used + cost
  local state = struct.pack('>BI4I4I6I4', VERSION, amount, period, start, math.min(used, amount))
  return used <= amount, state, start + period * 1000 - now
end

