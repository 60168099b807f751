--[[
  Lists those claims of a code among the open claims that are missing there, by the deadline that they hold themselves.

  KEYS[1] open    zset  "<redemption id>|<code digest>" by deadline
  KEYS[2] claims  hash  redemption id -> claim as JSON (`claim.ts`)
  ARGV[1] digest

  Returns the number of entries added
]]
local added = 0
local claims = redis.call('HGETALL', KEYS[2])
for i = 1, #claims, 2 do
  local deadline_ms = string.match(claims[i + 1], '"deadlineMs":(%d+)')
  if deadline_ms then
    added = added + redis.call('ZADD', KEYS[1], 'NX', deadline_ms, claims[i] .. '|' .. ARGV[1])
  end
end
return added
