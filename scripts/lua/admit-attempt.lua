--[[
  First round trip of a redemption: is the idempotency key known, may this attempt be made, and which campaign is
  the code of. A known key answers before any limit and is not counted; a refused attempt is not counted either.

  KEYS[1] marker   string  "<redemption id>|<code digest>" of an idempotency key
  KEYS[2] copy     hash    copy of the code's committed state
  KEYS[3] claims   hash    redemption id -> open claim of this code
  KEYS[4] unknown  zset    digests that are no code, by the instant until which that is believed
  KEYS[5] epoch    string  changes whenever codes were added
  KEYS[6…] windows         two keys a subject that is limited:
                   zset    its newest attempts by instant, 1,000 at most
                   hash    "<length>:<n>" -> how many older ones fell into the n-th sixtieth of a window's length
  ARGV[1] attempt_id
  ARGV[2] digest        of the code, or "" when what was typed cannot be a code
  ARGV[3] has_key       "1" when the caller sent an idempotency key
  ARGV[4…] triples      index of the zset in KEYS, limit, length in ms; the longest window of a key comes last

  Returns {status, now_ms, epoch, …}:
    KNOWN, redemption_id, digest, claim ("" when it is closed)
    RATE_LIMITED, retry_after_ms
    NOT_FOUND | LOAD
    FOUND, code_id, campaign_id, batch_id
]]
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local epoch = redis.call('GET', KEYS[5]) or ''

if ARGV[3] == '1' then
  local marker = redis.call('GET', KEYS[1])
  if marker then
    local redemption_id, digest = string.match(marker, '^(%d+)|(.*)$')
    return { 'KNOWN', now_ms, epoch, redemption_id, digest, redis.call('HGET', KEYS[3], redemption_id) or '' }
  end
end

-- Limits up to this are exact. Above it an older attempt counts for up to a sixtieth of the window too long.
local EXACT_MAX, BUCKETS, FOLD_MAX = 1000, 60, 200

-- What may lie in the window of the older attempts, by bucket; buckets that have left their window are dropped.
local function older_attempts(key, length_ms)
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
local function wait_ms(key, older, limit, length_ms)
  local blocking = redis.call('ZRANGE', key, -limit, -limit, 'WITHSCORES')
  if blocking[2] then return tonumber(blocking[2]) + length_ms - now_ms end
  table.sort(older, function(a, b) return a[1] > b[1] end)
  local left = limit - redis.call('ZCARD', key)
  for _, bucket in ipairs(older) do
    left = left - bucket[2]
    if left <= 0 then return (bucket[1] + 1) * (length_ms / BUCKETS) + length_ms - now_ms end
  end
end

local retry_after_ms = 0
local is_counted = false
for i = 4, #ARGV, 3 do
  local at, limit, length_ms = tonumber(ARGV[i]), tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local key, older, count = KEYS[at], {}, 0
  -- An attempt that is counted was admitted: the reply to it was lost, and the script runs once more.
  if ARGV[i - 3] ~= ARGV[i] then is_counted = redis.call('ZSCORE', key, ARGV[1]) end
  if not is_counted then
    count = redis.call('ZCOUNT', key, '(' .. (now_ms - length_ms), '+inf')
    -- Older attempts matter only where even the oldest of the newest ones lies in the window.
    if limit > EXACT_MAX and count == redis.call('ZCARD', key) then
      older, count = older_attempts(KEYS[at + 1], length_ms)
      count = count + redis.call('ZCARD', key)
    end
  end
  if count >= limit then retry_after_ms = math.max(retry_after_ms, wait_ms(key, older, limit, length_ms)) end
end
if retry_after_ms > 0 then
  return { 'RATE_LIMITED', now_ms, epoch, math.ceil(retry_after_ms) }
end
local lengths = {}
for i = 4, #ARGV, 3 do
  local at, length_ms = tonumber(ARGV[i]), tonumber(ARGV[i + 2])
  lengths[#lengths + 1] = length_ms
  -- The longest window of a key comes last, and its keys live as long as that one.
  if ARGV[i + 3] ~= ARGV[i] then
    local key, older_key = KEYS[at], KEYS[at + 1]
    redis.call('ZADD', key, now_ms, ARGV[1])
    redis.call('PEXPIRE', key, length_ms)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now_ms - length_ms)
    local excess = redis.call('ZCARD', key) - EXACT_MAX
    if excess > 0 then
      local folded = redis.call('ZPOPMIN', key, math.min(excess, FOLD_MAX))
      for pop = 2, #folded, 2 do
        for _, length in ipairs(lengths) do
          local bucket = math.floor(tonumber(folded[pop]) / (length / BUCKETS))
          redis.call('HINCRBY', older_key, length .. ':' .. bucket, 1)
        end
      end
      redis.call('PEXPIRE', older_key, length_ms + math.ceil(length_ms / BUCKETS))
    end
    lengths = {}
  end
end

local copy = redis.call('HMGET', KEYS[2], 'id', 'campaign_id', 'batch_id')
if copy[1] then
  return { 'FOUND', now_ms, epoch, copy[1], copy[2], copy[3] }
end
local believed_until = redis.call('ZSCORE', KEYS[4], ARGV[2])
if believed_until and tonumber(believed_until) > now_ms then
  return { 'NOT_FOUND', now_ms, epoch }
end
return { 'LOAD', now_ms, epoch }
