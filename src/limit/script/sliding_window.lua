
-- n * x / m, rounded up, for n < 2^40 and x <= m < 2^42: ten bits of n at a time, so that no product
-- reaches 2^53.
local function mul_div_ceil(n, x, m)
  local quotient, rest = 0, 0
  for power = 30, 0, -10 do
    local digits = math.floor(n / 2 ^ power) % 1024
    local product = rest * 1024 + digits * x
    rest = math.fmod(product, m)
    quotient = quotient * 1024 + (product - rest) / m
  end
  if rest > 0 then
    quotient = quotient + 1
  end
  return quotient
end

function count(first)
  local amount, period = tonumber(ARGV[first]), tonumber(ARGV[first + 1])
  local period_ms = period * 1000
  local start, previous, current = now, 0, 0
  if before ~= '' then
    if done + 23 > size then
      return nil
    end
    local version, a, p, s, old, new = struct.unpack('>BI4I4I6I4I4', before, done + 1)
    done = done + 23
    if version ~= VERSION or a ~= amount or p ~= period or old > amount or new > amount then
      return nil
    end
    if now < s + period_ms then
      start, previous, current = s, old, new
    elseif now < s + 2 * period_ms then
      start, previous = s + period_ms, new
    end
    if previous == 0 and current == 0 then
      start = now
    end
  end
  local left = period_ms - math.max(now - start, 0)
  local is_there = mul_div_ceil(previous, left, period_ms) + current + cost <= amount
  current = math.min(current + cost, amount)
  local state = struct.pack('>BI4I4I6I4I4', VERSION, amount, period, start, previous, current)
  return is_there, state, start + 2 * period_ms - now
end

