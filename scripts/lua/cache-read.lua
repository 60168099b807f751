--[[
  Read a cached value, or ask for the right to fill it. One reader at a time holds the lease; what it read from the
  database may be stored only while it does, so a value older than the last invalidation never gets in.

  KEYS[1] value  string
  KEYS[2] lease  string  token of the reader that fills the value
  ARGV[1] token          random, the reader's own
  ARGV[2] lease_ms       after which another reader may fill

  Returns {status, value}: HIT | LEASED | BUSY; the value is there on a HIT only
]]
local value_key, lease_key = KEYS[1], KEYS[2]
local token, lease_ms = ARGV[1], ARGV[2]

local value = redis.call('GET', value_key)
if value then
  return { 'HIT', value }
end
if redis.call('SET', lease_key, token, 'NX', 'PX', lease_ms) then
  return { 'LEASED' }
end
return { 'BUSY' }
