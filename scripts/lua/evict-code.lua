--[[
  Drops the copy of a code that was changed, and remembers the version for a while, so that a load that began
  before the change cannot bring the older state back. Open claims are not touched.

  KEYS[1] copy  hash  copy of the code's committed state
  ARGV[1] version     as committed by the change
  ARGV[2] floor_ms    longer than any load takes

  Returns 1 when the copy was dropped, 0 when something newer is known
]]
local held = redis.call('HGET', KEYS[1], 'version')
if held and tonumber(held) > tonumber(ARGV[1]) then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'version', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
