--[[
  Brings the list of open claims in step with one claim: it has the claim's deadline while there is a claim, and is
  gone otherwise. Claims are made together with their entries, so no claim that is just being made is passed over.

  KEYS[1] claims  hash  redemption id -> claim as JSON (`claim.ts`)
  KEYS[2] open    zset  "<redemption id>|<code digest>" by deadline, all open claims of the tenant
  ARGV[1] redemption_id
  ARGV[2] entry         in KEYS[2]

  Returns status: RESTORED | REMOVED | UNREADABLE
]]
local claim = redis.call('HGET', KEYS[1], ARGV[1])
if not claim then
  redis.call('ZREM', KEYS[2], ARGV[2])
  return 'REMOVED'
end
local deadline_ms = string.match(claim, '"deadlineMs":(%d+)')
if not deadline_ms then
  return 'UNREADABLE'
end
redis.call('ZADD', KEYS[2], deadline_ms, ARGV[2])
return 'RESTORED'
