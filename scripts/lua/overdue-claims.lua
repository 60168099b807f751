--[[
  Open claims of a tenant that are past their deadline by Redis' clock, the longest overdue first.

  KEYS[1] open  zset  "<redemption id>|<code digest>" by deadline
  ARGV[1] skip   how many of them are left out
  ARGV[2] limit  0 only counts them

  Returns {now_ms, count, entry, deadline_ms, entry, deadline_ms, …}
]]
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local count = redis.call('ZCOUNT', KEYS[1], '-inf', now_ms)
if count == 0 or ARGV[2] == '0' then
  return { now_ms, count }
end
local entries =
  redis.call('ZRANGE', KEYS[1], '-inf', now_ms, 'BYSCORE', 'LIMIT', ARGV[1], ARGV[2], 'WITHSCORES')
return { now_ms, count, unpack(entries) }
