
function count(first)
  local amount, period = tonumber(ARGV[first]), tonumber(ARGV[first + 1])
  local growth, longest = tonumber(ARGV[first + 2]), tonumber(ARGV[first + 3])
  local failures, locks, last, lock_end = 0, 0, 0, 0
  -- Where locks never grow, how many there were says nothing.
  local memory = growth > 1 and longest or 0
  if before ~= '' then
    if done + 23 > size then
      return nil
    end
    local version, a, p, f, l, t, u = struct.unpack('>BI4I4BBI6I6', before, done + 1)
    done = done + 23
    if version ~= VERSION or a ~= amount or p ~= period then
      return nil
    end
    -- A lock begins with the attempt that reached the limit; no attempt is later than 2^47 - 1.
    if f > amount or (f == amount and u <= t) or t >= 2 ^ 47 then
      return nil
    end
    failures, locks, last, lock_end = f, l, t, u
    local forgotten = last + period * 1000
    if failures >= amount then
      forgotten = lock_end
    end
    if now >= forgotten then
      failures = 0
    end
    if failures == 0 and now >= math.max(last, lock_end) + memory then
      locks, last, lock_end = 0, 0, 0
    end
  end
  local is_there = failures < amount and failures + cost <= amount
  failures, last = math.min(failures + cost, amount), math.max(last, now)
  local reset = last + period * 1000
  if is_there and failures >= amount then
    local lock = math.min(period * 1000, longest)
    for _ = 1, locks do
      if lock >= longest then
        break
      end
      lock = math.min(lock * growth, longest)
    end
    lock_end, locks = last + lock, math.min(locks + 1, 255)
    reset = lock_end
  end
  local state = struct.pack('>BI4I4BBI6I6', VERSION, amount, period, failures, locks, last, lock_end)
  return is_there, state, math.max(reset, math.max(last, lock_end) + memory) - now
end

