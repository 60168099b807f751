--[[
  Stores the copies of codes' committed state, as read in one query, unless something newer is known of a code. Where
  Redis was emptied since the read began, what is newer may be forgotten: nothing is stored.
  Open claims are not touched.

  KEYS[1]  epoch  string  replaced after Redis was emptied, and whenever codes are added
  KEYS[2…] copy   hash    copy of a code's committed state, one key a code
  ARGV[1] epoch       before the codes were read; "" when there was none
  ARGV[2] ttl_ms      idle copies expire
  ARGV[3…] for each code the values of FIELDS, in that order

  Returns the number of copies stored
]]
local FIELDS = { 'version', 'id', 'campaign_id', 'batch_id', 'status', 'use_limit', 'used', 'starts_ms', 'expires_ms',
  'assigned_user_id', 'sole_user_id' }
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
local stored = 0
for i = 2, #KEYS do
  local copy = KEYS[i]
  local first = 3 + (i - 2) * #FIELDS
  local held = redis.call('HGET', copy, 'version')
  if not held or tonumber(held) <= tonumber(ARGV[first]) then
    local values = {}
    for f, field in ipairs(FIELDS) do
      values[2 * f - 1] = field
      values[2 * f] = ARGV[first + f - 1]
    end
    redis.call('HSET', copy, unpack(values))
    redis.call('PEXPIRE', copy, ARGV[2])
    stored = stored + 1
  end
end
return stored
