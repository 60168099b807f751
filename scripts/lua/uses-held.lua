--[[
  Whether a code has no free use only because of open claims, which may still come to nothing.

  KEYS[1] copy    hash  use_limit, used …
  KEYS[2] claims  hash  redemption id -> open claim
  ARGV    none

  Returns 1 when uses are held, 0 when the next claim gets a final answer, or has to load the code
]]
local limit_text, used_text = unpack(redis.call('HMGET', KEYS[1], 'use_limit', 'used'))
local use_limit, used = tonumber(limit_text or '0'), tonumber(used_text or '0')
if use_limit == 0 or used >= use_limit then return 0 end
return used + redis.call('HLEN', KEYS[2]) >= use_limit and 1 or 0
