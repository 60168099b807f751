--[[
  Takes an attempt back that was counted as a failure in advance and was none. The wait that it caused ends with it.

  KEYS[1] lock_out  hash   `lib/lock-outs.lua` says what it holds; `forgiven` is the attempt that was taken back last
  ARGV[1] guess_id         as `admit-guess.lua` counted it

  Returns 1 where it was taken back, 0 where it was before, or nothing is counted any more
]]
local found = redis.call('HMGET', KEYS[1], 'level', 'forgiven')
if not found[1] or found[2] == ARGV[1] then return 0 end
local level = math.max(0, tonumber(found[1]) - 1)
redis.call('HSET', KEYS[1], 'level', level, 'until_ms', 0, 'forgiven', ARGV[1])
return 1
