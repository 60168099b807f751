--[[
  Drops a marker, if it is still the one that was found to lead nowhere: of an idempotency key, or of a redeemed code.

  KEYS[1] marker  string  "<redemption id>|<code digest>", or the redemption id alone
  ARGV[1] expected

  Returns 1 when it was dropped, 0 when there is another one or none
]]
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
