--[[
  What a copy refuses by itself, in the order of guards. The admission and the claim share it, so that both refuse a
  code alike. A copy is a list of values in the order of STATE.
]]
local STATE = { 'id', 'status', 'use_limit', 'used', 'starts_ms', 'expires_ms', 'assigned_user_id', 'sole_user_id' }

-- The refusal of a code in this state, whatever uses it has left; nil where nothing of the state stands in the way.
local function refusal_of_state(copy, user_id, now_ms, extended_ms)
  local starts_ms, expires_ms = copy[5], copy[6]
  if expires_ms ~= '' and extended_ms ~= '' and tonumber(extended_ms) > tonumber(expires_ms) then
    expires_ms = extended_ms
  end
  if copy[2] ~= 'ACTIVE' then return 'CODE_INACTIVE' end
  if starts_ms ~= '' and now_ms < tonumber(starts_ms) then return 'CODE_NOT_STARTED' end
  if expires_ms ~= '' and now_ms >= tonumber(expires_ms) then return 'CODE_EXPIRED' end
  if copy[7] ~= '' and copy[7] ~= user_id then return 'CODE_NOT_YOURS' end
end

-- Whether all uses are spent by commits; open claims are not counted.
local function is_used_up(copy)
  local use_limit = tonumber(copy[3])
  return use_limit > 0 and tonumber(copy[4]) >= use_limit
end
