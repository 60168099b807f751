--[[
  Finds the open claim that a repeated call means: that of its idempotency key, else that of the same user's first
  click on the same code. Asks for nothing that only the database knows, and writes nothing.

  KEYS[1] marker  string  "<redemption id>|<code digest>" of an idempotency key (any key when there is none)
  KEYS[2] lock    string  "<token>|<redemption id>": this user is redeeming this code
  KEYS[3] claims  hash    redemption id -> open claim of this code
  ARGV[1] digest
  ARGV[2] has_key  "1" when the caller sent an idempotency key

  Returns {redemption_id, claim}, or {} when there is none
]]
local redemption_id
local marker = ARGV[2] == '1' and redis.call('GET', KEYS[1])
if marker then
  local known_id, known_digest = string.match(marker, '^(%d+)|(.*)$')
  -- With another code the key is reused, which only the answer to a whole attempt can say.
  if known_digest ~= ARGV[1] then return {} end
  redemption_id = known_id
else
  local lock = redis.call('GET', KEYS[2])
  redemption_id = lock and string.match(lock, '|(%d+)$')
end
if not redemption_id then return {} end
local claim = redis.call('HGET', KEYS[3], redemption_id)
if not claim then return {} end
return { redemption_id, claim }
