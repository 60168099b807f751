--[[
  A device is online at a process, for a while. Answers which of the user's devices are too many: those that have been
  online longest. A device that was named is on its way out, and is not counted for a while. If it is still there
  afterwards, it was not signed off, and is named again before any other. A second run of the same call answers the
  devices of the first one again.

  KEYS[1] online   hash   "<device>|<process>" -> "<since ms>|<until ms>"
  KEYS[2] evicted  hash   device -> when it was named, "<device>|attempt" -> by which attempt
  ARGV[1] device_id
  ARGV[2] process
  ARGV[3] attempt_id  of this call
  ARGV[4] life_ms     how long it counts without a further call
  ARGV[5] limit       devices that may be online; 0 for any number
  ARGV[6] leave_ms    how long a device that was named is not counted

  Returns the ids of the devices that are too many
]]
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local device_id, own, attempt_id = ARGV[1], ARGV[1] .. '|' .. ARGV[2], ARGV[3]
local life_ms, limit, leave_ms = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

local since = { [device_id] = now_ms }
local found = redis.call('HGETALL', KEYS[1])
for at = 1, #found, 2 do
  local place, device = found[at], string.match(found[at], '^(%d+)|')
  local since_ms, until_ms = string.match(found[at + 1], '^(%d+)|(%d+)$')
  if tonumber(until_ms) <= now_ms then
    redis.call('HDEL', KEYS[1], place)
  else
    since[device] = math.min(since[device] or now_ms, tonumber(since_ms))
  end
end
redis.call('HSET', KEYS[1], own, string.format('%.0f|%.0f', since[device_id], now_ms + life_ms))
redis.call('PEXPIRE', KEYS[1], life_ms)
if limit == 0 then return {} end

-- Ids of one length compare as text; a longer one is younger.
local function is_older(a, b)
  if since[a] ~= since[b] then return since[a] < since[b] end
  if #a ~= #b then return #a < #b end
  return a < b
end
local counted, too_many = {}, {}
for device in pairs(since) do
  local named = redis.call('HMGET', KEYS[2], device, device .. '|attempt')
  if named[2] == attempt_id then
    too_many[#too_many + 1] = device
  elseif not named[1] or tonumber(named[1]) <= now_ms - leave_ms then
    counted[#counted + 1] = device
  end
end
table.sort(counted, is_older)
for at = 1, #counted - limit do
  local device = counted[at]
  too_many[#too_many + 1] = device
  redis.call('HSET', KEYS[2], device, string.format('%.0f', now_ms), device .. '|attempt', attempt_id)
end
if #too_many > 0 then redis.call('PEXPIRE', KEYS[2], leave_ms) end
table.sort(too_many, is_older)
return too_many
