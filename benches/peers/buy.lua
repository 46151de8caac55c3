-- What Stampede decides for one buy, in one script.
-- KEYS: stock by SKU, what this viewer has, the log of takes, deadlines of holds.
-- ARGV: viewer, SKU, units, key, units per viewer, holds per viewer, life of a hold in ms.
local mine = redis.call('HMGET', KEYS[2], 'key:' .. ARGV[4], 'units', 'holds')
local want = ARGV[2] .. ' ' .. ARGV[3]
if mine[1] then
  local hold, what = string.match(mine[1], '^(%d+) (.+)$')
  if what == want then return 'held ' .. hold end
  return 'key_reused'
end
local units = tonumber(ARGV[3])
local has = tonumber(mine[2] or 0) + units
local made = tonumber(mine[3] or 0) + 1
if has > tonumber(ARGV[5]) then return 'over_viewer_limit' end
if made > tonumber(ARGV[6]) then return 'holds_capped' end
if tonumber(redis.call('HGET', KEYS[1], ARGV[2]) or 0) < units then return 'sold_out' end
local now = redis.call('TIME')
local deadline = now[1] * 1000 + math.floor(now[2] / 1000) + ARGV[7]
redis.call('HINCRBY', KEYS[1], ARGV[2], -units)
local take = ARGV[1] .. ' ' .. want .. ' ' .. ARGV[4] .. ' ' .. string.format('%.0f', deadline)
local hold = redis.call('RPUSH', KEYS[3], take)
redis.call('HSET', KEYS[2], 'key:' .. ARGV[4], hold .. ' ' .. want, 'units', has, 'holds', made)
redis.call('ZADD', KEYS[4], deadline, hold)
return 'held ' .. hold
