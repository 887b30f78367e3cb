
function count(first)
  local amount, period = tonumber(ARGV[first]), tonumber(ARGV[first + 1])
  local live, latest = {}, now
  if before ~= '' then
    local version, a, p, n = read('>BI4I4B', 10)
    if version ~= VERSION or a ~= amount or p ~= period or n > amount then
      return nil
    end
    local last = 0
    for _ = 1, n do
      local time = read('>I6', 6)
      if time == nil or time < last then
        return nil
      end
      last = time
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

