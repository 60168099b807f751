--[[
  Drops the copy of a code that was found to tell something else than the row, if it still is as it was found. The
  version of the row stays for a while, so that a load that began before cannot bring an older state back. Open claims
  are not touched.

  KEYS[1] copy  hash  copy of a code's committed state
  ARGV[1] version     of the row; "" when there is none
  ARGV[2] floor_ms    how long the version of a code without a copy is remembered
  ARGV[3…] the values of FIELDS as they were found, "" for one that was missing

  Returns 1 when the copy was dropped, 0 when it has changed
]]
local FIELDS = { 'version', 'id', 'campaign_id', 'batch_id', 'status', 'use_limit', 'used', 'starts_ms', 'expires_ms',
  'assigned_user_id', 'sole_user_id' }
local held = redis.call('HMGET', KEYS[1], unpack(FIELDS))
for i = 1, #FIELDS do
  if (held[i] or '') ~= ARGV[2 + i] then
    return 0
  end
end
redis.call('DEL', KEYS[1])
if ARGV[1] ~= '' then
  redis.call('HSET', KEYS[1], 'version', ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
