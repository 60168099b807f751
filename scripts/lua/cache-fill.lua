--[[
  Store what was read from the database, if the lease under which it was read is still held. An invalidation in
  between has taken the lease away, and the value is then too old to be stored.

  KEYS[1] value  string
  KEYS[2] lease  string  token of the reader that fills the value
  ARGV[1] token          of this reader
  ARGV[2] value
  ARGV[3] value_ms       how long the value lives

  Returns status: FILLED | LEASE_LOST
]]
local value_key, lease_key = KEYS[1], KEYS[2]
local token, value, value_ms = ARGV[1], ARGV[2], ARGV[3]

if redis.call('GET', lease_key) ~= token then
  return 'LEASE_LOST'
end
redis.call('SET', value_key, value, 'PX', value_ms)
redis.call('DEL', lease_key)
return 'FILLED'
