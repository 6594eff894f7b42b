/**
 * What Redis does in one step each. Whether an instance lives is judged by the server's own clock, so that the clocks of
 * the services do not matter. The keys of a script share their hash tag, as a cluster demands.
 *
 * KEYS: 1 instances (hash: id -> owner|instance) · 2 deadlines (sorted set: id -> ms) · 3 clock · ARGV: 1 channel · 2 id · …
 */

/**
 * The server's time, without its jumps: Redis knows no clock but the one that people and NTP set. What holds instances is
 * renewed and read more often than every 15 s, so that what is longer, or goes back, is no time in which a lease was due.
 */
const now = (clock: string) => `
local t = redis.call('TIME')
local wall = t[1] * 1000 + math.floor(t[2] / 1000)
local last = redis.call('HMGET', ${clock}, 'wall', 'now')
local passed = wall - (tonumber(last[1]) or wall)
if passed < 0 or passed > 15000 then passed = 0 end
local now = (tonumber(last[2]) or wall) + passed
redis.call('HSET', ${clock}, 'wall', wall, 'now', now)
`;
const NOW = now('KEYS[3]');

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
if redis.call('HLEN', KEYS[1]) > 0 then return 1 end
redis.call('DEL', KEYS[3])
return 2
`;

/** Drops whose time is over; gives ms until the next one's is (-1: nobody's), and what is left. */
export const READ = `${NOW}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
end
local next = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
local wait = -1
if next[2] then wait = next[2] - now else redis.call('DEL', KEYS[3]) end
return { wait, redis.call('HVALS', KEYS[1]) }
`;

/** KEYS: 1 services (sorted set: name -> ms) · 2 clock · ARGV: 1 channel · 2 name · 3 time to live in ms */
export const NAME = `${now('KEYS[2]')}
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
export const NAMES = `${now('KEYS[2]')}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local wait = -1
if next[2] then wait = next[2] - now else redis.call('DEL', KEYS[2]) end
return { wait, redis.call('ZRANGE', KEYS[1], 0, -1) }
`;
