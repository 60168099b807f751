--[[
  Defers claims: until the new deadline their jobs settle them, and the same user's next click joins. A claim that was
  deferred before keeps its deadline, so that retries do not put its end off for ever.

  KEYS[1] open  zset  all open claims of the tenant by deadline
  Then for each redemption KEYS[2…], three at a time:
    claims  hash    redemption id -> claim as JSON (`claim.ts`)
    lock    string  "<token>|<redemption id>": this user is redeeming this code
    marker  string  "<redemption id>|<code digest>", of an idempotency key (any key when there is none)
  ARGV[1] deferral_ms  how long the claim may stay open from now
  Then for each redemption ARGV[2…], four at a time:
    redemption_id, digest, token, has_key

  Returns the number of claims that are deferred by now; the others are closed
]]
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local deferral_ms = tonumber(ARGV[1])
local deadline_ms = now_ms + deferral_ms
local UNDEFERRED = '"deadlineMs":%d+,"deferred":false'
local deferred = 0
local key = 2
for i = 2, #ARGV, 4 do
  local claims, lock, marker = KEYS[key], KEYS[key + 1], KEYS[key + 2]
  local redemption_id, digest, token = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local claim = redis.call('HGET', claims, redemption_id)
  if claim and string.find(claim, token, 1, true) then
    deferred = deferred + 1
    local stored, found = string.gsub(claim, UNDEFERRED, '"deadlineMs":' .. deadline_ms .. ',"deferred":true', 1)
    if found == 1 then
      redis.call('HSET', claims, redemption_id, stored)
      redis.call('ZADD', KEYS[1], deadline_ms, redemption_id .. '|' .. digest)
      local holder = redis.call('GET', lock)
      if not holder or holder == token .. '|' .. redemption_id then
        redis.call('SET', lock, token .. '|' .. redemption_id, 'PX', deferral_ms)
      end
      -- A retry has to find the claim for as long as it is open.
      local known = ARGV[i + 3] == '1' and redis.call('GET', marker)
      if known == redemption_id .. '|' .. digest and redis.call('PTTL', marker) < deferral_ms then
        redis.call('PEXPIRE', marker, deferral_ms)
      end
    end
  end
  key = key + 3
end
return deferred
