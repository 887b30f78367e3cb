
function count(first)
  local amount, period, burst = tonumber(ARGV[first]), tonumber(ARGV[first + 1]), tonumber(ARGV[first + 2])
  local cost_ms, cost_rest = tonumber(ARGV[first + 3]), tonumber(ARGV[first + 4])
  local full_ms, full_rest = tonumber(ARGV[first + 5]), tonumber(ARGV[first + 6])
  local ms, rest = 0, 0
  if before ~= '' then
    if done + 23 > size then
      return nil
    end
    local version, a, p, b, m, r = struct.unpack('>BI4I4I4I6I4', before, done + 1)
    done = done + 23
    if version ~= VERSION or a ~= amount or p ~= period or b ~= burst or r >= amount then
      return nil
    end
    ms, rest = m, r
  end
  if ms < now then
    ms, rest = now, 0
  end
  ms, rest = ms + cost_ms, rest + cost_rest
  if rest >= amount then
    ms, rest = ms + 1, rest - amount
  end
  local is_there = ms < now + full_ms or (ms == now + full_ms and rest <= full_rest)
  local keep_ms = ms - now
  if rest > 0 then
    keep_ms = keep_ms + 1
  end
  return is_there, struct.pack('>BI4I4I4I6I4', VERSION, amount, period, burst, ms, rest), keep_ms
end

