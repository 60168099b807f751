--[[
  Keeps codes that are about to get other digests from being claimed under these ones: their copies go, and the
  version that they are about to have stays behind, so that no older row is loaded or claimed. A code with an open
  claim is left as it is.

  For each code KEYS[1…], two at a time:
    copy    hash  copy of the code's committed state
    claims  hash  redemption id -> open claim
  ARGV[1] fence_ms  longer than the change takes
  ARGV[2] owner     who may lower the fence
  ARGV[3…] versions  that the codes are about to have, one a code

  Returns for each code 1 when it is fenced, 0 when it has an open claim
]]
local fenced = {}
for i = 3, #ARGV do
  local copy, claims = KEYS[2 * i - 5], KEYS[2 * i - 4]
  if redis.call('EXISTS', claims) == 1 then
    fenced[i - 2] = 0
  else
    redis.call('DEL', copy)
    redis.call('HSET', copy, 'version', ARGV[i], 'fence', ARGV[2])
    redis.call('PEXPIRE', copy, ARGV[1])
    fenced[i - 2] = 1
  end
end
return fenced
