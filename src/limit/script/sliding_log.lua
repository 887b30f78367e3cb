
function count(first)
  local amount, period = tonumber(ARGV[first]), tonumber(ARGV[first + 1])
  local live, latest = {}, now
  if before ~= '' then
    if done + 10 > size then
      return nil
    end
    local version, a, p, n = struct.unpack('>BI4I4B', before, done + 1)
    done = done + 10
    if version ~= VERSION or a ~= amount or p ~= period or n > amount or done + 6 * n > size then
      return nil
    end
    local last = 0
    for _ = 1, n do
      local time = struct.unpack('>I6', before, done + 1)
      if time < last then
        return nil
      end
      done, last = done + 6, time
      if time + period * 1000 > now then
        live[#live + 1] = struct.pack('>I6', time)
        latest = math.max(now, time)
      end
    end
  end
  local is_there = #live + cost <= amount
  if is_there then
    for _ = 1, cost do
      live[#live + 1] = struct.pack('>I6', latest)
    end
  end
  local state = struct.pack('>BI4I4B', VERSION, amount, period, #live) .. table.concat(live)
  return is_there, state, latest + period * 1000 - now
end

