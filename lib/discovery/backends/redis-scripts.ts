/**
 * What Redis does in one step each. Whether an instance lives is judged by the server's own clock, so that the clocks of
 * the services do not matter. The keys of a script share their hash tag, as a cluster demands.
 *
 * KEYS: 1 instances (hash: id -> owner|instance) · 2 deadlines (sorted set: id -> ms) · ARGV: 1 channel · 2 id · …
 */
const NOW = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`;

/** ARGV: 3 time to live in ms · 4 owner|instance */
export const REGISTER = `${NOW}
redis.call('HSET', KEYS[1], ARGV[2], ARGV[4])
redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[2])
redis.call('PUBLISH', ARGV[1], ARGV[2])
return 1
`;

/** ARGV: 3 time to live in ms · 4 owner · 5 owner|instance, or nothing when it is as it was. 0: the instance is unknown. */
export const RENEW = `${NOW}
local held = redis.call('HGET', KEYS[1], ARGV[2])
if not held then return 0 end
if string.sub(held, 1, #ARGV[4] + 1) ~= ARGV[4] .. '|' then return 1 end
redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[2])
if ARGV[5] ~= '' then
  redis.call('HSET', KEYS[1], ARGV[2], ARGV[5])
  redis.call('PUBLISH', ARGV[1], ARGV[2])
end
return 1
`;

/** ARGV: 3 owner. 2: it was the last of its service. */
export const REVOKE = `
local held = redis.call('HGET', KEYS[1], ARGV[2])
if not held or string.sub(held, 1, #ARGV[3] + 1) ~= ARGV[3] .. '|' then return 0 end
redis.call('HDEL', KEYS[1], ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('PUBLISH', ARGV[1], ARGV[2])
if redis.call('HLEN', KEYS[1]) == 0 then return 2 end
return 1
`;

/** Drops whose time is over; gives ms until the next one's is (-1: nobody's), and what is left. */
export const READ = `${NOW}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
end
local next = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
local wait = -1
if next[2] then wait = next[2] - now end
return { wait, redis.call('HVALS', KEYS[1]) }
`;

/** KEYS: 1 services (sorted set: name -> ms) · ARGV: 1 channel · 2 name · 3 time to live in ms */
export const NAME = `${NOW}
local before = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not before or tonumber(before) < now + ARGV[3] then
  redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[2])
end
if not before then redis.call('PUBLISH', ARGV[1], ARGV[2]) end
return 1
`;

/** KEYS and ARGV as above: a service has lost its last instance; its name stays until its time is over, and is looked at. */
export const LAST = `
redis.call('PUBLISH', ARGV[1], ARGV[2])
return 1
`;

/** Drops the names whose time is over; gives ms until the next one's is, and what is left. */
export const NAMES = `${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local wait = -1
if next[2] then wait = next[2] - now end
return { wait, redis.call('ZRANGE', KEYS[1], 0, -1) }
`;
