--[[
  Takes the codes of a HASHED batch, which the caller has read and decrypted: they are deleted, and the first taker's
  name stays for a while. So the same call may run twice after a lost reply.

  KEYS[1] shown  string  the codes, encrypted
  KEYS[2] taker  string  who has taken them
  ARGV[1] taker
  ARGV[2] taker_ms  how long the name stays

  Returns 1 when this taker has them, 0 when another one was first or their time is over
]]
local taker = redis.call('GET', KEYS[2])
if taker then
  return taker == ARGV[1] and 1 or 0
end
if redis.call('DEL', KEYS[1]) == 0 then
  return 0
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return 1
