--[[
  Closes claims whose redemptions are committed, a batch of one tenant at once. A claim goes only with its token.
  The copy takes `used` and `version` as the transaction wrote them if it is in the state that the transaction saw;
  if it has missed a change it goes, and the next attempt loads it. Nothing is incremented, so a second run changes
  nothing.

  KEYS[1] open  zset  all open claims of the tenant
  Then for each redemption KEYS[2…], five at a time:
    copy    hash    copy of the code's committed state
    claims  hash    redemption id -> open claim
    lock    string  "<token>|<redemption id>"
    done    string  redemption id: this user has redeemed this code
    marker  string  "<redemption id>|<code digest>", of an idempotency key (any key when there is none)
  ARGV[1] done_ms    how long "done" is kept
  ARGV[2] floor_ms   how long the version of a code without a copy is remembered
  ARGV[3] marker_ms
  Then for each redemption ARGV[4…], eight at a time:
    redemption_id, digest, token, used, version_before, version, sole_user_id ("" unless the code is used up by one
    user), has_key

  Returns the number of claims closed
]]
local closed = 0
local key = 2
for i = 4, #ARGV, 8 do
  local copy, claims, lock, done, marker = KEYS[key], KEYS[key + 1], KEYS[key + 2], KEYS[key + 3], KEYS[key + 4]
  local redemption_id, digest, token = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local used, version_before, version, sole_user_id = ARGV[i + 3], ARGV[i + 4], ARGV[i + 5], ARGV[i + 6]

  local claim = redis.call('HGET', claims, redemption_id)
  -- A token is random, and stands nowhere else.
  if claim and string.find(claim, token, 1, true) then
    closed = closed + redis.call('HDEL', claims, redemption_id)
    redis.call('ZREM', KEYS[1], redemption_id .. '|' .. digest)
  end
  if redis.call('GET', lock) == token .. '|' .. redemption_id then
    redis.call('DEL', lock)
  end
  -- Of a code that one user has used up, its copy says who it was.
  if sole_user_id == '' then
    redis.call('SET', done, redemption_id, 'PX', ARGV[1])
  end
  if ARGV[i + 7] == '1' then
    redis.call('SET', marker, redemption_id .. '|' .. digest, 'PX', ARGV[3])
  end

  local id, held = unpack(redis.call('HMGET', copy, 'id', 'version'))
  -- A version alone is no copy, and must not become half of one.
  if id and held == version_before then
    redis.call('HSET', copy, 'version', version, 'used', used, 'sole_user_id', sole_user_id)
  elseif not held or tonumber(held) < tonumber(version) then
    -- Only the version stays: a load that began before this commit must not bring the older state back.
    if held then redis.call('DEL', copy) end
    redis.call('HSET', copy, 'version', version)
    redis.call('PEXPIRE', copy, ARGV[2])
  end
  key = key + 5
end
return closed
