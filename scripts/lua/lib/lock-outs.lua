--[[
  Lock-outs after failed attempts, of a user and then of device, address and tenant. Those of the latter hold only for
  users who have failed themselves within the hour: else a guesser could lock out all others at one address.
  Each has a hash:
    level     failures that still count; `free` of them are forgotten within an hour
    at_ms     when `level` was counted
    until_ms  before this instant there is no further attempt
    last      the attempt that was counted last, so that a script which Redis runs twice counts it once
  The hashes are the last of KEYS. `frees` says how many failures each may make in an hour: "20,40,200,5000".
]]
local HOUR_MS, WAIT_FIRST_MS, DOUBLINGS = 3600000, 1000, 10
-- At this many times `free` the wait has come to an hour.
local LEVEL_MAX = 2.2

local function lock_outs_of(frees)
  local found, at = {}, #KEYS - select(2, string.gsub(frees, '%d+', ''))
  for free in string.gmatch(frees, '%d+') do
    at = at + 1
    found[#found + 1] = { key = KEYS[at], free = tonumber(free) }
  end
  return found
end

local function read_failures(key, free, now_ms)
  local found = redis.call('HMGET', key, 'level', 'at_ms', 'until_ms', 'last')
  if not found[1] then return { level = 0, at_ms = 0, until_ms = 0 } end
  local at_ms = tonumber(found[2])
  local forgotten = math.max(0, now_ms - at_ms) / HOUR_MS * free
  local level = math.max(0, tonumber(found[1]) - forgotten)
  return { level = level, at_ms = at_ms, until_ms = tonumber(found[3]), last = found[4] }
end

-- Of a subject, read once in a run.
local function failures_of(subject, now_ms)
  subject.failures = subject.failures or read_failures(subject.key, subject.free, now_ms)
  return subject.failures
end

-- Each tenth of `free` above it doubles the wait, from a second to an hour.
local function add_failure(subject, attempt_id, now_ms)
  local key, free, failures = subject.key, subject.free, failures_of(subject, now_ms)
  if failures.last == attempt_id then return end
  failures.last = attempt_id
  local level = math.min(failures.level + 1, free * LEVEL_MAX)
  local above = level / free - 1
  local wait_ms = above > 0 and math.min(WAIT_FIRST_MS * 2 ^ (above * DOUBLINGS), HOUR_MS) or 0
  redis.call('HSET', key, 'level', level, 'at_ms', now_ms, 'until_ms', now_ms + math.floor(wait_ms), 'last', attempt_id)
  redis.call('PEXPIRE', key, math.ceil(math.max(1, level / free) * HOUR_MS))
end

-- Which of them makes an attempt wait longest, and for how long; nil where none does.
local function locked_out(subjects, attempt_id, now_ms)
  local longest, longest_ms, most_ms = nil, 0, HOUR_MS
  for n, subject in ipairs(subjects) do
    local failures = failures_of(subject, now_ms)
    local wait_ms = failures.last ~= attempt_id and math.min(failures.until_ms - now_ms, most_ms) or 0
    if wait_ms > longest_ms then longest, longest_ms = subject.key, wait_ms end
    if n == 1 then
      subject.is_over = failures.level >= subject.free
      most_ms = failures.at_ms + HOUR_MS - now_ms
      -- The user has not failed within the hour: the rest does not matter.
      if most_ms <= 0 then return longest, longest_ms end
    end
  end
  return longest, longest_ms
end
