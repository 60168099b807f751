--[[
  Claims one use of a code. Guards run in the order of Returns; the first that fails answers, and nothing is written.
  Safe to run twice with the same redemption id: the second run answers the same claim.

  KEYS[1]  copy         hash    id, status, use_limit, used, starts_ms, expires_ms, assigned_user_id, sole_user_id …
  KEYS[2]  claims       hash    redemption id -> claim as JSON (`claim.ts`)
  KEYS[3]  marker       string  "<redemption id>|<code digest>" of an idempotency key
  KEYS[4]  lock         string  "<token>|<redemption id>": this user is redeeming this code
  KEYS[5]  done         string  redemption id: this user has redeemed this code
  KEYS[6]  open         zset    "<redemption id>|<code digest>" by deadline, all open claims of the tenant
  KEYS[7]  spent_user   string  set while the user's limit in this campaign is known to be reached
  KEYS[8]  spent_day    string  the same for the user's limit of this day
  KEYS[9]  spent_budget string  set while the campaign's budget is known to be spent
  ARGV[1]  redemption_id
  ARGV[2]  user_id
  ARGV[3]  digest
  ARGV[4]  token           random; only its holder may remove the claim and the lock
  ARGV[5]  claim           JSON of all that is not told by the clock
  ARGV[6]  has_key         "1" when the caller sent an idempotency key
  ARGV[7]  reward_refusal  why the reward cannot be given, or ""; the last of all guards
  ARGV[8]  deadline_ms     how long the claim may stay open
  ARGV[9]  lock_ms
  ARGV[10] marker_ms
  ARGV[11] has_limits      "1" when the campaign has limits of its own, so that KEYS[7…9] are looked at
  ARGV[12] extended_ms     to which the code's batch was extended, or "": a code that ends earlier ends then
  ARGV[13] user_refusal    why this user may not redeem codes of the campaign, or ""
  ARGV[14] row_version     what the caller has just read of the code, in the place of a copy that is not held; or "":
  ARGV[15…22] id, status, use_limit, used, starts_ms, expires_ms, assigned_user_id, sole_user_id

  Returns {status, now_ms, …}:
    CLAIMED, token | KNOWN, redemption_id, digest, claim | LOAD
    CODE_INACTIVE | CODE_NOT_STARTED | CODE_EXPIRED | CODE_NOT_YOURS
    ALREADY_REDEEMED, redemption_id ("" when only the database knows it) | JOIN, redemption_id, claim
    user_refusal, USER_LIMIT_REACHED, CODE_EXHAUSTED, CODE_HELD, BUDGET_EXHAUSTED, reward_refusal: each followed by "1" when
    this user may still have redeemed the code before, which only the database can tell
]]
-- include lib/code-guards
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local redemption_id, user_id, digest, token = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local own = redis.call('HGET', KEYS[2], redemption_id)
if own then
  local claim = cjson.decode(own)
  return { 'CLAIMED', claim.claimedAtMs, claim.token }
end
if ARGV[6] == '1' then
  local marker = redis.call('GET', KEYS[3])
  if marker then
    local known_id, known_digest = string.match(marker, '^(%d+)|(.*)$')
    return { 'KNOWN', now_ms, known_id, known_digest, redis.call('HGET', KEYS[2], known_id) or '' }
  end
end

local copy = redis.call('HMGET', KEYS[1], 'version', unpack(STATE))
local version = table.remove(copy, 1)
if not copy[1] then
  -- A version without a copy says that the code has changed; an older row must not bring its old state back.
  if ARGV[14] == '' or (version and tonumber(version) > tonumber(ARGV[14])) then return { 'LOAD', now_ms } end
  copy = { unpack(ARGV, 15, 22) }
end
local refusal = refusal_of_state(copy, user_id, now_ms, ARGV[12])
if refusal then return { refusal, now_ms } end

local done = redis.call('GET', KEYS[5])
if done then return { 'ALREADY_REDEEMED', now_ms, done } end
local sole_user_id = copy[8] or ''
if sole_user_id == user_id then return { 'ALREADY_REDEEMED', now_ms, '' } end
local lock = redis.call('GET', KEYS[4])
if lock then
  local first_id = string.match(lock, '|(%d+)$')
  local first = redis.call('HGET', KEYS[2], first_id)
  if first then return { 'JOIN', now_ms, first_id, first } end
end

local use_limit, used = tonumber(copy[3]), tonumber(copy[4])
-- No user has redeemed an untouched code, and a used-up single-use code names the one who has.
local unsure = (used == 0 or sole_user_id ~= '') and '' or '1'
if ARGV[13] ~= '' then return { ARGV[13], now_ms, unsure } end
local has_limits = ARGV[11] == '1'
if has_limits and redis.call('EXISTS', KEYS[7], KEYS[8]) > 0 then return { 'USER_LIMIT_REACHED', now_ms, unsure } end
if use_limit > 0 then
  if is_used_up(copy) then return { 'CODE_EXHAUSTED', now_ms, unsure } end
  if used + redis.call('HLEN', KEYS[2]) >= use_limit then return { 'CODE_HELD', now_ms, unsure } end
end
if has_limits and redis.call('EXISTS', KEYS[9]) == 1 then return { 'BUDGET_EXHAUSTED', now_ms, unsure } end
if ARGV[7] ~= '' then return { ARGV[7], now_ms, unsure } end

local deadline_ms = now_ms + ARGV[8]
local timed = '{"claimedAtMs":' .. now_ms .. ',"deadlineMs":' .. deadline_ms .. ',"deferred":false,'
redis.call('HSET', KEYS[2], redemption_id, timed .. string.sub(ARGV[5], 2))
redis.call('ZADD', KEYS[6], deadline_ms, redemption_id .. '|' .. digest)
redis.call('SET', KEYS[4], token .. '|' .. redemption_id, 'PX', ARGV[9])
if ARGV[6] == '1' then
  redis.call('SET', KEYS[3], redemption_id .. '|' .. digest, 'PX', ARGV[10])
end
return { 'CLAIMED', now_ms, token }
