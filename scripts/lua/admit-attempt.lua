--[[
  First round trip of a redemption: is the idempotency key known, may this attempt be made, and which campaign is
  the code of. A known key answers before any limit and is not counted; a refused attempt is not counted either.

  KEYS[1] marker   string  "<redemption id>|<code digest>" of an idempotency key
  KEYS[2] copy     hash    copy of the code's committed state
  KEYS[3] claims   hash    redemption id -> open claim of this code
  KEYS[4] unknown  zset    digests that are no code, by the instant until which that is believed
  KEYS[5] epoch    string  changes whenever codes were added
  KEYS[6…] windows zset    attempt ids by instant, one key a subject that is limited
  ARGV[1] attempt_id
  ARGV[2] digest        of the code, or "" when what was typed cannot be a code
  ARGV[3] has_key       "1" when the caller sent an idempotency key
  ARGV[4…] triples      index into KEYS, limit, length in ms; the longest window of a key comes last

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

local retry_after_ms = 0
local is_counted = false
for i = 4, #ARGV, 3 do
  local key, limit, length_ms = KEYS[tonumber(ARGV[i])], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  -- An attempt that is counted was admitted: the reply to it was lost, and the script runs once more.
  if ARGV[i - 3] ~= ARGV[i] then is_counted = redis.call('ZSCORE', key, ARGV[1]) end
  if not is_counted and redis.call('ZCOUNT', key, '(' .. (now_ms - length_ms), '+inf') >= limit then
    -- Admitted again as soon as the limit-th newest attempt has left the window.
    local blocking = redis.call('ZRANGE', key, -limit, -limit, 'WITHSCORES')
    retry_after_ms = math.max(retry_after_ms, tonumber(blocking[2]) + length_ms - now_ms)
  end
end
if retry_after_ms > 0 then
  return { 'RATE_LIMITED', now_ms, epoch, retry_after_ms }
end
for i = 4, #ARGV, 3 do
  -- The longest window of a key comes last, and the key lives as long as that one.
  if ARGV[i + 3] ~= ARGV[i] then
    local key, length_ms = KEYS[tonumber(ARGV[i])], tonumber(ARGV[i + 2])
    redis.call('ZADD', key, now_ms, ARGV[1])
    redis.call('PEXPIRE', key, length_ms)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now_ms - length_ms)
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
