--[[
  What of the limits is used up at this moment, judged as `admit-attempt.lua` judges it.

  KEYS[1…] windows  two keys a subject that is limited, a zset and a hash (`lib/rate-windows.lua`),
                    and behind them a hash each subject that may be locked out (`lib/lock-outs.lua`)
  ARGV[1] frees     failures an hour of each lock-out, e.g. "20,40,200,5000"; "" for none
  ARGV[2…] triples  index of the zset in KEYS, limit, length in ms

  Returns two numbers for each window, then for each lock-out: attempts or failures, and how long to wait in ms
]]
-- include lib/rate-windows
-- include lib/lock-outs
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local used = {}
for i = 2, #ARGV, 3 do
  local at, limit, length_ms = tonumber(ARGV[i]), tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local count, older = attempts_in(KEYS[at], KEYS[at + 1], limit, length_ms, now_ms)
  used[#used + 1] = count
  used[#used + 1] = count < limit and 0 or math.ceil(window_wait_ms(KEYS[at], older, limit, length_ms, now_ms))
end
for _, subject in ipairs(lock_outs_of(ARGV[1])) do
  local failures = failures_of(subject, now_ms)
  used[#used + 1] = math.ceil(failures.level)
  used[#used + 1] = math.max(0, failures.until_ms - now_ms)
end
return used
