--[[
  Drops entries of open claims whose claims are gone. A claim and its entry are written by one script, and this looks
  and drops in one too, so the entry of a claim that is being made stays.

  KEYS[1] open    zset  "<redemption id>|<code digest>" by deadline
  KEYS[2…] claims  hash  redemption id -> open claim, one key an entry
  ARGV[1…] for each entry two: redemption_id, digest

  Returns the number of entries dropped
]]
local dropped = 0
for i = 2, #KEYS do
  local redemption_id, digest = ARGV[2 * i - 3], ARGV[2 * i - 2]
  if redis.call('HEXISTS', KEYS[i], redemption_id) == 0 then
    dropped = dropped + redis.call('ZREM', KEYS[1], redemption_id .. '|' .. digest)
  end
end
return dropped
