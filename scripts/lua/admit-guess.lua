--[[
  Lets an attempt that proves a secret pass, or says how long its subject has to wait. Each attempt is counted as a
  failure in advance, so that many at the same moment are many; `forgive-guess.lua` gives a success back.

  KEYS[1…] lock_out  hash   one subject; `lib/lock-outs.lua` says what it holds
  ARGV[1]  guess_id         counted once, also where Redis gets the script twice
  ARGV[2]  free             failures an hour without a wait

  Returns how long to wait in ms; 0 where the attempt may go on
]]
-- include lib/lock-outs
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local subject = lock_outs_of(ARGV[2])[1]
local failures = failures_of(subject, now_ms)
if failures.last ~= ARGV[1] and failures.until_ms > now_ms then return failures.until_ms - now_ms end
add_failure(subject, ARGV[1], now_ms)
return 0
