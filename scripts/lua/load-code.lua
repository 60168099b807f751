--[[
  Stores the copy of a code's committed state, unless something newer is known. Open claims are not touched.

  KEYS[1] copy  hash  copy of the code's committed state
  ARGV[1] version     as read from the database
  ARGV[2] ttl_ms      idle copies expire
  ARGV[3…]            field, value, …

  Returns 1 when the copy is as given now, 0 when a newer version is known
]]
local held = redis.call('HMGET', KEYS[1], 'version', 'id')
local version = tonumber(ARGV[1])
if held[1] and (tonumber(held[1]) > version) then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'version', ARGV[1], unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
