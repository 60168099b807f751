--[[
  Rolling windows of attempts: a zset of the newest ones by instant, and a hash of the older ones by sixtieths of the
  window's length ("<length>:<n>" -> how many fell into the n-th).
]]
-- Limits up to this are exact. Above it an older attempt counts for up to a sixtieth of the window too long.
local EXACT_MAX, BUCKETS, FOLD_MAX = 1000, 60, 200

-- What may lie in the window of the older attempts, by bucket; buckets that have left their window are dropped.
local function older_attempts(key, length_ms, now_ms)
  local counts, sum, found = {}, 0, redis.call('HGETALL', key)
  for at = 1, #found, 2 do
    local length, bucket = string.match(found[at], '^(%d+):(%d+)$')
    if (bucket + 1) * (length / BUCKETS) <= now_ms - length then
      redis.call('HDEL', key, found[at])
    elseif tonumber(length) == length_ms then
      counts[#counts + 1] = { tonumber(bucket), tonumber(found[at + 1]) }
      sum = sum + found[at + 1]
    end
  end
  return counts, sum
end

-- Admitted again as soon as the limit-th newest attempt has left the window.
local function window_wait_ms(key, older, limit, length_ms, now_ms)
  local blocking = redis.call('ZRANGE', key, -limit, -limit, 'WITHSCORES')
  if blocking[2] then return tonumber(blocking[2]) + length_ms - now_ms end
  table.sort(older, function(a, b) return a[1] > b[1] end)
  local left = limit - redis.call('ZCARD', key)
  for _, bucket in ipairs(older) do
    left = left - bucket[2]
    if left <= 0 then return (bucket[1] + 1) * (length_ms / BUCKETS) + length_ms - now_ms end
  end
end

-- How many attempts lie in a window, and the buckets of the older ones.
local function attempts_in(key, older_key, limit, length_ms, now_ms)
  local count = redis.call('ZCOUNT', key, '(' .. (now_ms - length_ms), '+inf')
  -- Older attempts matter only where even the oldest of the newest ones lies in the window.
  if limit <= EXACT_MAX or count < redis.call('ZCARD', key) then return count, {} end
  local older, sum = older_attempts(older_key, length_ms, now_ms)
  return sum + redis.call('ZCARD', key), older
end

-- Adds an attempt to a subject's windows, of which the last is the longest: its keys live as long as that one. Most
-- callers have made none before (`size`), which costs two commands.
local function add_attempt(key, older_key, size, lengths, attempt_id, now_ms)
  local longest_ms = lengths[#lengths]
  redis.call('ZADD', key, now_ms, attempt_id)
  redis.call('PEXPIRE', key, longest_ms)
  if size == 0 then return end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now_ms - longest_ms)
  if size < EXACT_MAX then return end
  local excess = redis.call('ZCARD', key) - EXACT_MAX
  if excess <= 0 then return end
  local folded = redis.call('ZPOPMIN', key, math.min(excess, FOLD_MAX))
  for pop = 2, #folded, 2 do
    for _, length_ms in ipairs(lengths) do
      local bucket = math.floor(tonumber(folded[pop]) / (length_ms / BUCKETS))
      redis.call('HINCRBY', older_key, length_ms .. ':' .. bucket, 1)
    end
  end
  redis.call('PEXPIRE', older_key, longest_ms + math.ceil(longest_ms / BUCKETS))
end
