--[[
  Stores a page that was read from the database, if nothing was dropped since its reader was given the token, and no
  more pages than a plan may take.

  KEYS[1] users  hash  "token"; the id behind which a page begins -> the page as JSON
  ARGV[1] after_id     behind which subscription the page begins
  ARGV[2] token        as `read-plan-users.lua` answered it
  ARGV[3] page
  ARGV[4] pages_max

  Returns status: FILLED | DROPPED | FULL
]]
local after_id, token, page, pages_max = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

if redis.call('HGET', KEYS[1], 'token') ~= token then
  return 'DROPPED'
end
if redis.call('HLEN', KEYS[1]) > pages_max then
  return 'FULL'
end
redis.call('HSET', KEYS[1], after_id, page)
return 'FILLED'
