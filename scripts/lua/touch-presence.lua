--[[
  A device is online at a process, for a while. Answers which of the user's devices are too many: those that have been
  online longest. A device that was named is on its way out: it is not counted for a while, and if it is still there
  afterwards, it has come back and counts as the youngest.

  KEYS[1] online   hash   "<device>|<process>" -> "<since ms>|<until ms>"
  KEYS[2] evicted  hash   device -> when it was named
  ARGV[1] device_id
  ARGV[2] process
  ARGV[3] life_ms   how long it counts without a further call
  ARGV[4] limit     devices that may be online; 0 for any number
  ARGV[5] leave_ms  how long a device that was named is not counted

  Returns the ids of the devices that are too many
]]
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local device_id, own = ARGV[1], ARGV[1] .. '|' .. ARGV[2]
local life_ms, limit, leave_ms = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local function times(since_ms, until_ms)
  return string.format('%.0f|%.0f', since_ms, until_ms)
end

local since, places = { [device_id] = now_ms }, { [device_id] = { [own] = now_ms + life_ms } }
local found = redis.call('HGETALL', KEYS[1])
for at = 1, #found, 2 do
  local place, device = found[at], string.match(found[at], '^(%d+)|')
  local since_ms, until_ms = string.match(found[at + 1], '^(%d+)|(%d+)$')
  if tonumber(until_ms) <= now_ms then
    redis.call('HDEL', KEYS[1], place)
  else
    since[device] = math.min(since[device] or now_ms, tonumber(since_ms))
    places[device] = places[device] or {}
    places[device][place] = places[device][place] or tonumber(until_ms)
  end
end
redis.call('HSET', KEYS[1], own, times(since[device_id], now_ms + life_ms))
redis.call('PEXPIRE', KEYS[1], life_ms)
if limit == 0 then return {} end

local devices = {}
for device in pairs(since) do
  local named_ms = redis.call('HGET', KEYS[2], device)
  if not named_ms or tonumber(named_ms) <= now_ms - leave_ms then devices[#devices + 1] = device end
end
-- Ids of one length compare as text; a longer one is younger.
table.sort(devices, function(a, b)
  if since[a] ~= since[b] then return since[a] < since[b] end
  if #a ~= #b then return #a < #b end
  return a < b
end)
local too_many = {}
for at = 1, #devices - limit do
  local device = devices[at]
  too_many[at] = device
  redis.call('HSET', KEYS[2], device, string.format('%.0f', now_ms))
  for place, until_ms in pairs(places[device]) do
    redis.call('HSET', KEYS[1], place, times(now_ms, until_ms))
  end
end
if #too_many > 0 then redis.call('PEXPIRE', KEYS[2], leave_ms) end
return too_many
