--[[
  Hands claims over to the queue: until the new deadline their jobs settle them, and the same user's next click joins.
  A claim that was handed over before keeps its deadline, so that retries do not put its end off for ever.

  KEYS[1] open  zset  all open claims of the tenant by deadline
  Then for each redemption KEYS[2…], three at a time:
    claims  hash    redemption id -> "<claimed ms>|<deadline ms>|<token>|<snapshot>"
    lock    string  "<token>|<redemption id>": this user is redeeming this code
    marker  string  "<redemption id>|<code digest>", of an idempotency key (any key when there is none)
  ARGV[1] hand_over_ms  how long the claim may stay open from now
  Then for each redemption ARGV[2…], four at a time:
    redemption_id, digest, token, has_key

  Returns the number of claims that are handed over by now; the others are closed
]]
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local hand_over_ms = tonumber(ARGV[1])
local deadline_ms = now_ms + hand_over_ms
local handed_over = 0
local key = 2
for i = 2, #ARGV, 4 do
  local claims, lock, marker = KEYS[key], KEYS[key + 1], KEYS[key + 2]
  local redemption_id, digest, token = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local claimed_ms, until_ms, own_token, snapshot
  local claim = redis.call('HGET', claims, redemption_id)
  if claim then
    claimed_ms, until_ms, own_token, snapshot = string.match(claim, '^(%d+)|(%d+)|([^|]+)|(.*)$')
  end
  if own_token == token then
    handed_over = handed_over + 1
    if until_ms - claimed_ms < hand_over_ms / 2 then
      redis.call('HSET', claims, redemption_id, claimed_ms .. '|' .. deadline_ms .. '|' .. token .. '|' .. snapshot)
      redis.call('ZADD', KEYS[1], deadline_ms, redemption_id .. '|' .. digest)
      local holder = redis.call('GET', lock)
      if not holder or holder == token .. '|' .. redemption_id then
        redis.call('SET', lock, token .. '|' .. redemption_id, 'PX', hand_over_ms)
      end
      -- Whoever retries has to find the claim for as long as it is open.
      local known = ARGV[i + 3] == '1' and redis.call('GET', marker)
      if known == redemption_id .. '|' .. digest and redis.call('PTTL', marker) < hand_over_ms then
        redis.call('PEXPIRE', marker, hand_over_ms)
      end
    end
  end
  key = key + 3
end
return handed_over
