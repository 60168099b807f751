--[[
  First round trip of a redemption: is the idempotency key known, may this attempt be made, which campaign is the
  code of, and does its copy refuse the user already. A known key answers before any limit and is not counted; an
  attempt beyond a limit is not counted either.

  KEYS[1] marker   string  "<redemption id>|<code digest>" of an idempotency key
  KEYS[2] copy     hash    copy of the code's committed state
  KEYS[3] claims   hash    redemption id -> open claim of this code
  KEYS[4] unknown  zset    digests that are no code, by the instant until which that is believed
  KEYS[5] epoch    string  changes whenever codes were added
  KEYS[6] limits   string  changes whenever limits were set
  KEYS[7] done     string  redemption id: this user has redeemed this code
  KEYS[8] lock     string  this user is redeeming this code
  KEYS[9…] windows         two keys a subject that is limited, a zset and a hash (`lib/rate-windows.lua`),
                           and behind them a hash each subject that may be locked out (`lib/lock-outs.lua`)
  ARGV[1] attempt_id
  ARGV[2] digest        of the code, or "" when what was typed cannot be a code
  ARGV[3] user_id
  ARGV[4] has_key       "1" when the caller sent an idempotency key
  ARGV[5] limits        as they were when the caller read its limits; "-" where it asks without any
  ARGV[6] frees         failures an hour of each lock-out, e.g. "20,40,200,5000"; "" for none
  ARGV[7…] triples      index of the zset in KEYS, limit, length in ms; the longest window of a key comes last

  Returns {status, now_ms, epoch, …}:
    KNOWN, redemption_id, digest, claim ("" when it is closed)
    LIMITS_CHANGED, limits
    RATE_LIMITED, retry_after_ms, the key that holds the attempt back
    NOT_FOUND, which counts as a failure | LOAD
    FOUND, code_id, campaign_id, batch_id, refusal
  The refusal is CODE_INACTIVE | CODE_NOT_STARTED | CODE_EXPIRED | CODE_NOT_YOURS | CODE_EXHAUSTED, of a code that one
  other user has used up; or "", and then only a claim can tell. An extension of the batch is not looked at.
]]
-- include lib/code-guards
-- include lib/rate-windows
-- include lib/lock-outs
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local epoch = redis.call('GET', KEYS[5]) or ''
local attempt_id = ARGV[1]

if ARGV[4] == '1' then
  local marker = redis.call('GET', KEYS[1])
  if marker then
    local redemption_id, digest = string.match(marker, '^(%d+)|(.*)$')
    return { 'KNOWN', now_ms, epoch, redemption_id, digest, redis.call('HGET', KEYS[3], redemption_id) or '' }
  end
end

local limits = redis.call('GET', KEYS[6]) or ''
if ARGV[5] ~= '-' and ARGV[5] ~= limits then return { 'LIMITS_CHANGED', now_ms, epoch, limits } end

local subjects = lock_outs_of(ARGV[6])
local longest, retry_after_ms = locked_out(subjects, attempt_id, now_ms)
local sizes, is_counted = {}, false
for i = 7, #ARGV, 3 do
  local at, limit, length_ms = tonumber(ARGV[i]), tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local key, count, older = KEYS[at], 0, {}
  -- An attempt that is counted was admitted: the reply to it was lost, and the script runs once more.
  if ARGV[i - 3] ~= ARGV[i] then
    sizes[at] = redis.call('ZCARD', key)
    is_counted = sizes[at] > 0 and redis.call('ZSCORE', key, attempt_id)
  end
  if sizes[at] > 0 and not is_counted then count, older = attempts_in(key, KEYS[at + 1], limit, length_ms, now_ms) end
  if count >= limit then
    local wait_ms = window_wait_ms(key, older, limit, length_ms, now_ms)
    if wait_ms > retry_after_ms then longest, retry_after_ms = key, wait_ms end
  end
end
if longest then return { 'RATE_LIMITED', now_ms, epoch, math.ceil(retry_after_ms), longest } end
local lengths = {}
for i = 7, #ARGV, 3 do
  lengths[#lengths + 1] = tonumber(ARGV[i + 2])
  if ARGV[i + 3] ~= ARGV[i] then
    local at = tonumber(ARGV[i])
    add_attempt(KEYS[at], KEYS[at + 1], sizes[at], lengths, attempt_id, now_ms)
    lengths = {}
  end
end

-- A user who has failed too often pays in advance, for codes that exist, too: many attempts at once are one guess.
if subjects[1] and subjects[1].is_over then add_failure(subjects[1], attempt_id, now_ms) end
local copy = redis.call('HMGET', KEYS[2], 'campaign_id', 'batch_id', unpack(STATE))
local campaign_id, batch_id = table.remove(copy, 1), table.remove(copy, 1)
if copy[1] then
  local refusal = refusal_of_state(copy, ARGV[3], now_ms, '') or ''
  local is_spent_by_another = is_used_up(copy) and (copy[8] or '') ~= '' and copy[8] ~= ARGV[3]
  -- What this user has done with the code before comes first, and is the claim's to tell.
  if refusal == '' and is_spent_by_another and redis.call('EXISTS', KEYS[7], KEYS[8]) == 0 then
    refusal = 'CODE_EXHAUSTED'
  end
  return { 'FOUND', now_ms, epoch, copy[1], campaign_id, batch_id, refusal }
end
local believed_until = redis.call('ZSCORE', KEYS[4], ARGV[2])
if believed_until and tonumber(believed_until) > now_ms then
  for _, subject in ipairs(subjects) do add_failure(subject, attempt_id, now_ms) end
  return { 'NOT_FOUND', now_ms, epoch }
end
return { 'LOAD', now_ms, epoch }
