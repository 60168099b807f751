--[[
  Admits an encrypted request once. What is remembered of earlier requests belongs to an epoch: where Redis was emptied
  or started again, some of it may be lost, so a new epoch begins, and requests sealed for the old one are refused.
  The same request may be judged twice after a lost reply; it is known by its attempt.

  KEYS[1] epoch  string  "<run of this Redis> <epoch>"
  KEYS[2] nonce  string  the attempt that used it
  ARGV[1] attempt          random; names a new epoch as well
  ARGV[2] sealed_ms        by the client's clock
  ARGV[3] epoch            for which the request was sealed; "" when the client does not know any
  ARGV[4] window_ms        how far the client's clock may differ
  ARGV[5] margin_ms        how much longer the nonce is kept, should the clock be set back

  Returns {status, now_ms, epoch}: ENVELOPE_EXPIRED | ENVELOPE_REPLAYED | ADMITTED
]]
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local kept_run, epoch = string.match(redis.call('GET', KEYS[1]) or '', '^(%x+) (.+)$')
if kept_run ~= run then
  epoch = ARGV[1]
  redis.call('SET', KEYS[1], run .. ' ' .. epoch)
end
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local sealed_ms = tonumber(ARGV[2])
if math.abs(now_ms - sealed_ms) > tonumber(ARGV[4]) or ARGV[3] ~= epoch then
  return {'ENVELOPE_EXPIRED', now_ms, epoch}
end
local until_ms = string.format('%.0f', sealed_ms + ARGV[4] + ARGV[5])
local used_by = redis.call('SET', KEYS[2], ARGV[1], 'NX', 'GET', 'PXAT', until_ms)
if used_by and used_by ~= ARGV[1] then
  return {'ENVELOPE_REPLAYED', now_ms, epoch}
end
return {'ADMITTED', now_ms, epoch}
