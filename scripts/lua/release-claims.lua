--[[
  Gives the uses of claims back whose redemptions can never commit any more: their tombstones are committed.
  The copy of the code goes too where the transaction has seen the code and the copy is no newer: it admitted what the
  database refused.

  KEYS[1] open  zset  all open claims of the tenant
  Then for each redemption KEYS[2…], six at a time:
    copy    hash    copy of the code's committed state
    claims  hash    redemption id -> open claim
    lock    string  "<token>|<redemption id>"
    marker  string  "<redemption id>|<code digest>", of an idempotency key (any key when there is none)
    done    string  redemption id: this user has redeemed this code
    spent   string  flag of the limit that was found reached (any key when there is none)
  ARGV[1] floor_ms   how long the version of a code without a copy is remembered
  ARGV[2] spent_ms   how long a limit is believed to be reached
  ARGV[3] done_ms    how long "done" is kept
  ARGV[4] marker_ms
  Then for each redemption ARGV[5…], seven at a time:
    redemption_id, digest, token, version (of the code in the transaction; 0 when it saw none: the copy stays), is_spent,
    done_id and winner_id ("" or the redemption that was found in the way: it is remembered again)

  Returns the number of claims released
]]
local released = 0
local key = 2
for i = 5, #ARGV, 7 do
  local copy, claims, lock = KEYS[key], KEYS[key + 1], KEYS[key + 2]
  local marker, done, spent = KEYS[key + 3], KEYS[key + 4], KEYS[key + 5]
  local redemption_id, digest, token, version = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]

  local claim = redis.call('HGET', claims, redemption_id)
  if claim and string.find(claim, token, 1, true) then
    released = released + redis.call('HDEL', claims, redemption_id)
    redis.call('ZREM', KEYS[1], redemption_id .. '|' .. digest)
  end
  if redis.call('GET', lock) == token .. '|' .. redemption_id then
    redis.call('DEL', lock)
  end
  if redis.call('GET', marker) == redemption_id .. '|' .. digest then
    redis.call('DEL', marker)
  end
  if ARGV[i + 4] == '1' then
    redis.call('SET', spent, '1', 'PX', ARGV[2])
  end

  if ARGV[i + 5] ~= '' then
    redis.call('SET', done, ARGV[i + 5], 'PX', ARGV[3])
  end
  if ARGV[i + 6] ~= '' then
    redis.call('SET', marker, ARGV[i + 6] .. '|' .. digest, 'PX', ARGV[4])
  end

  local held = tonumber(redis.call('HGET', copy, 'version') or '0')
  if version ~= '0' and held <= tonumber(version) then
    redis.call('DEL', copy)
    redis.call('HSET', copy, 'version', version)
    redis.call('PEXPIRE', copy, ARGV[1])
  end
  key = key + 6
end
return released
