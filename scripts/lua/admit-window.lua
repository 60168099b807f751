--[[
  Counts an attempt in a rolling window, or refuses it and counts it nowhere.

  KEYS[1] newest  zset   the newest attempts by instant (`lib/rate-windows.lua`)
  KEYS[2] older   hash   the older ones by sixtieths of the window
  ARGV[1] attempt_id     one that is counted already is admitted again
  ARGV[2] limit
  ARGV[3] length_ms

  Returns how long to wait in ms; 0 where the attempt was admitted
]]
-- include lib/rate-windows
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local attempt_id, limit, length_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local counted_ms = redis.call('ZSCORE', KEYS[1], attempt_id)
if counted_ms and tonumber(counted_ms) > now_ms - length_ms then return 0 end
local count, older = attempts_in(KEYS[1], KEYS[2], limit, length_ms, now_ms)
if count >= limit then return math.max(1, math.ceil(window_wait_ms(KEYS[1], older, limit, length_ms, now_ms))) end
add_attempt(KEYS[1], KEYS[2], redis.call('ZCARD', KEYS[1]), { length_ms }, attempt_id, now_ms)
return 0
