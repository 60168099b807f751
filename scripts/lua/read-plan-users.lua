--[[
  Reads a cached page of the running subscriptions of a plan, or says under which token it may be stored. The first
  reader after a drop sets the token; pages that were read before the drop have another one.

  KEYS[1] users  hash  "token"; the id behind which a page begins -> the page as JSON
  ARGV[1] after_id     behind which subscription the page begins
  ARGV[2] token        random, the reader's own
  ARGV[3] users_ms     how long pages live from the first on

  Returns {status, text}: HIT, page | MISS, token
]]
local after_id, token, users_ms = ARGV[1], ARGV[2], ARGV[3]

local page = redis.call('HGET', KEYS[1], after_id)
if page then
  return { 'HIT', page }
end
local present = redis.call('HGET', KEYS[1], 'token')
if present then
  return { 'MISS', present }
end
redis.call('HSET', KEYS[1], 'token', token)
redis.call('PEXPIRE', KEYS[1], users_ms)
return { 'MISS', token }
