--[[
  Remembers for a while that a digest is no code of the tenant, unless codes were added since the look-up began.

  KEYS[1] unknown  zset    digests that are no code, by the instant until which that is believed
  KEYS[2] epoch    string  changes whenever codes were added
  ARGV[1] digest
  ARGV[2] epoch_before   as it was when the look-up began; "" when there was none
  ARGV[3] ttl_ms
  ARGV[4] cap            digests remembered at most

  Returns 1 when it is remembered, 0 when not
]]
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[2] or ARGV[2] == '' then
  return 0
end
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now_ms)
  if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then
    return 0
  end
end
redis.call('ZADD', KEYS[1], now_ms + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
