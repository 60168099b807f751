--[[
  Takes the fences of codes away whose change was undone. The version that they have stays behind, as after a change,
  so that a load that began before an earlier change cannot bring an older state back.

  KEYS[1…] copy  hash  copy of the code's committed state, one a code
  ARGV[1] floor_ms  longer than any load takes
  ARGV[2] owner     the process that has raised the fences; others stay
  ARGV[3…] versions  that the codes have, one a code

  Returns how many were lowered
]]
local lowered = 0
for i, copy in ipairs(KEYS) do
  if redis.call('HGET', copy, 'fence') == ARGV[2] then
    redis.call('DEL', copy)
    redis.call('HSET', copy, 'version', ARGV[i + 2])
    redis.call('PEXPIRE', copy, ARGV[1])
    lowered = lowered + 1
  end
end
return lowered
