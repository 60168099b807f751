--[[
  Counts a failed attempt of a caller, who waits longer and longer once there are too many.

  KEYS[1…] lock_outs  hash    of the user, then of device, address and tenant as far as they are limited
  ARGV[1] attempt_id
  ARGV[2] frees       how many failures an hour each of them may make, e.g. "20,40,200,5000"

  Returns how many it was counted for
]]
-- include lib/lock-outs
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local subjects = lock_outs_of(ARGV[2])
for _, subject in ipairs(subjects) do
  add_failure(subject, ARGV[1], now_ms)
end
return #subjects
