-- Shared by every script; `console/store/scripts.py` puts it in front of each.
-- KEYS, in the same order everywhere, all in one hash slot (the hash tag is the plain key's own name):
--   1 ctl   hash        the authority: who may act, chain heads, limits, counters
--   2 open  hash        idempotency key -> claim without an end, one line a field (see OPEN below)
--   3 infl  sorted set  idempotency key -> lease deadline in server ms; claims in doubt are not in it
--   4 acts  stream      claim, settle, doubt, resolve, late: hash-chained (an = count, ah = head)
--   5 plain string      what plain agents read; a mirror, never the authority
--   6 log   stream      control events: hash-chained (ln, lh); agents block-read it
--   7 inst  hash        instance -> heartbeat (JSON)
--   8 done  string      recorded result of one idempotency key (claim, settle, resolve)
--       or audit stream (switch, halt, limits)
-- Records are lines parted by \n with the only free text last: no field before it may hold a control character, which the
-- scripts refuse. That is several times cheaper here than JSON, and as unambiguous.
--   open  cid inst slot epoch claimed_ms deadline_ms state(C|D) fingerprint amount currency direction action
--   done  cid inst slot epoch claimed_ms ended_ms outcome fingerprint amount currency result
-- Money is a whole number of millionths; doubles are exact up to MAX, and nothing beyond it is accepted.
local MAX = 9000000000000000
local SLOTS = { blue = true, green = true }
local OPEN = '^([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n(.*)$'
local RECORDED = '^[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n([^\n]*)'   -- the fingerprint in a done record

local function int(x) return string.format('%.0f', x) end   -- tostring() is %.14g and would round microseconds

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function plain(K)   -- text of the plain key; or nil and, where it is no text, its type
  local v = redis.pcall('GET', K[5])
  if type(v) == 'table' then return nil, redis.call('TYPE', K[5]).ok end
  return v or nil
end

-- Appends one record to the chain of actions. The caller writes the new head (c.an, c.ah) with its last HSET.
local function append(K, c, record)
  c.ah = redis.sha1hex(#c.ah .. ':' .. c.ah .. '1:d' .. #record .. ':' .. record)
  redis.call('XADD', K[4], '*', 'h', c.ah, 'd', record)
end

local function load(K)   -- the whole authority, for everything that is not hot; c.new on a store that has none
  local v = redis.call('HMGET', K[1], 'ep', 'gen', 'act', 'ph', 'to', 'prev', 'dl', 'sid', 'rb', 'hold', 'lvl', 'ten',
    'an', 'ah', 'ln', 'lh')
  return { new = not v[1], ep = tonumber(v[1] or 0), gen = tonumber(v[2] or 0), act = v[3] or '', ph = v[4] or 'HALT',
    to = v[5] or '', prev = v[6] or '', dl = tonumber(v[7] or 0), sid = v[8] or '', rb = v[9] or '0',
    hold = tonumber(v[10] or 0), lvl = tonumber(v[11] or 0), ten = tonumber(v[12] or 0), an = tonumber(v[13] or 0),
    ah = v[14] or '', ln = tonumber(v[15] or 0), lh = v[16] or '' }
end

local function put(K, record, retention)   -- the recorded end of a key; retention 0 keeps it for ever
  if retention == '0' then redis.call('SET', K[8], record) else redis.call('SET', K[8], record, 'PX', retention) end
end
