--[[
  Stores the copies of codes' committed state, as read in one query, unless something newer is known of a code.
  Open claims are not touched.

  KEYS[1…] copy  hash  copy of a code's committed state, one key a code
  ARGV[1] ttl_ms      idle copies expire
  ARGV[2…] for each code the values of FIELDS, in that order

  Returns the number of copies stored
]]
local FIELDS = { 'version', 'id', 'campaign_id', 'batch_id', 'status', 'use_limit', 'used', 'starts_ms', 'expires_ms',
  'assigned_user_id', 'sole_user_id' }
local stored = 0
for i = 1, #KEYS do
  local copy = KEYS[i]
  local first = 2 + (i - 1) * #FIELDS
  local held = redis.call('HGET', copy, 'version')
  if not held or tonumber(held) <= tonumber(ARGV[first]) then
    local values = {}
    for f, field in ipairs(FIELDS) do
      values[2 * f - 1] = field
      values[2 * f] = ARGV[first + f - 1]
    end
    redis.call('HSET', copy, unpack(values))
    redis.call('PEXPIRE', copy, ARGV[1])
    stored = stored + 1
  end
end
return stored
