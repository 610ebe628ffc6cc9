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
--   owed  pin slot version epoch opened_ms kind policy due_ms flow amount currency detail     in `…owed`, by the commitment's id
--   named op id version kind policy due_ms flow amount currency detail     in `…named`: `#KEY` of a claim -> what it does to a
--         commitment once it was executed; `=ID` of that commitment -> the claim's key
--   manifest ms slot instance was text     in `…manifests`: `=VERSION`, what a version is held to; `~VERSION`, what an instance
--         of it said that is another. `was`: hashes that it was held to before, with a blank before each; under `~`, how many others were told. text: the lines that an
--         instance sends, the whole's hash first; empty for one that declares none
--   sent  first_ms since_ms span_ms cid     in `…sent:KEY`: the first sending of a key that evidence has ended since: when, on the
--         server's clock; when that lease ended, on the steady one; how long it was; the claim that came too late to send it again ('' for none)
--   state C (claimed), or D (in doubt) with the moment since when, on the steady clock (see control.lua)
-- Money is a number of millionths as decimal text, with up to 24 digits before the point and 12 behind it: 10^-18 of a unit. A double
-- is exact up to 2^53; what is longer is counted in three limbs of 12 digits.
-- Every call's last ARGV is the call's own id, and every reply's last element is that id: whoever reads a reply knows whose it is.
local LIMB = 1e12
local SLOTS = { blue = true, green = true }
local OPEN = '^([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n(.*)$'
local OPEN_STATE = '^[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n([^\n]*)'
local OWED = '^([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*\n([^\n]*)\n.*)$'   -- the stamps, all that the author says, the policy in it
local BODY = '^[%l ]+\n([%l ]+)\n%d+\n%l+\n([^\n]*)\n[^\n]*\n'   -- what an author says of a commitment: the policy and the amount in it
local MANIFEST = '^([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n(.*)$'
local MANIFEST_MARK = '^[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n([^\n]*)'   -- the whole's hash in it
local MANIFEST_WAS = '^[^\n]*\n[^\n]*\n[^\n]*\n([^\n]*)'
local MANIFESTS_WAS = 8 * 65   -- bytes of the hashes before
local SENT = '^(%d+)\n(%d+)\n(%d+)\n([^\n]*)$'
local RECORDED = '^[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n([^\n]*)'   -- the fingerprint in a done record

local function beside(K, name) return string.sub(K[1], 1, -4) .. name end   -- another key of the same agent

local function int(x) return string.format('%.0f', x) end   -- tostring() is %.14g and would round microseconds

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function limbs(x)   -- a money as three numbers of one sign, or nil where the text is none
  local sign, whole, rest = string.match(x, '^(%-?)(%d+)%.?(%d*)$')
  if not whole or #whole > 24 or #rest > 12 then return nil end
  whole, rest = string.rep('0', 24 - #whole) .. whole, rest .. string.rep('0', 12 - #rest)
  local s = sign == '-' and -1 or 1
  return s * tonumber(string.sub(whole, 1, 12)), s * tonumber(string.sub(whole, 13)), s * tonumber(rest)
end

local function is_money(x)
  return #x < 16 and string.find(x, '^%-?%d+$') and true or limbs(x) ~= nil
end

local function less(x) return string.sub(x, 1, 1) == '-' and string.sub(x, 2) or '-' .. x end   -- the same money, the other way

local function sum(a, b)   -- exact; what would be longer than a money may be stays at the most there is
  if #a < 16 and #b < 16 and not string.find(a .. b, '.', 1, true) then return int(tonumber(a) + tonumber(b)) end
  local h, m, l = limbs(a)
  local h2, m2, l2 = limbs(b)
  h, m, l = h + h2, m + m2, l + l2
  local sign = ''
  if h < 0 or (h == 0 and (m < 0 or (m == 0 and l < 0))) then sign, h, m, l = '-', -h, -m, -l end
  if l < 0 then l, m = l + LIMB, m - 1 elseif l >= LIMB then l, m = l - LIMB, m + 1 end
  if m < 0 then m, h = m + LIMB, h - 1 elseif m >= LIMB then m, h = m - LIMB, h + 1 end
  if h >= LIMB then h, m, l = LIMB - 1, LIMB - 1, LIMB - 1 end
  local whole = string.gsub(string.format('%.0f%012.0f', h + 0, m + 0), '^0+(%d)', '%1')
  local rest = string.gsub(string.format('%012.0f', l + 0), '0+$', '')
  if rest ~= '' then whole = whole .. '.' .. rest end
  return whole == '0' and whole or sign .. whole
end

local function negative(x) return string.sub(x, 1, 1) == '-' end
local function over(a, b) return negative(sum(b, less(a))) end   -- whether a is more than b
local function no_less(x) return negative(x) and '0' or x end     -- never below zero

-- The sums of two UTC days are kept, so that a clock that goes back over midnight finds the old day's as it was. Of v[i..i+3] (b_day, b_amt,
-- d_day, d_amt): the names of the day's two fields, its sum, and whether it is there; else of the older one's, to be replaced.
local function budget(v, i, day)
  if v[i] == day then return 'b_day', 'b_amt', v[i + 1], true end
  if v[i + 2] == day then return 'd_day', 'd_amt', v[i + 3], true end
  if (tonumber(v[i] or 0) or 0) <= (tonumber(v[i + 2] or 0) or 0) then return 'b_day', 'b_amt', '0', false end
  return 'd_day', 'd_amt', '0', false
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

local function newest(stream)   -- hash and stream id of its newest entry
  local entry = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  for i = 1, entry and #entry[2] or 0, 2 do if entry[2][i] == 'h' then return entry[2][i + 1], entry[1] end end
  return '', ''
end

local function load(K)   -- the whole authority, for everything that is not hot; c.new on a store that has none
  local v = redis.call('HMGET', K[1], 'ep', 'gen', 'act', 'ph', 'to', 'prev', 'dl', 'sid', 'rb', 'hold', 'lvl', 'ten',
    'an', 'ah', 'ln', 'lh', 'on', 'fn', 'st', 'stw', 'stb', 'lin', 'was', 'xn', 'xh', 'x_late', 'wn', 'wr', 'nn', 'mv', 'rb_id', 'ls_cur')
  local function number(i) return tonumber(v[i] or 0) or 0 end   -- what is no number any more is damage, and 0 halts
  return { new = not v[1], ep = number(1), gen = number(2), act = v[3] or '', ph = v[4] or 'HALT', to = v[5] or '',
    prev = v[6] or '', dl = number(7), sid = v[8] or '', rb = v[9] or '0', hold = number(10), lvl = number(11),
    ten = number(12), an = number(13), ah = v[14] or '', ln = number(15), lh = v[16] or '',
    on = tonumber(v[17] or ''), fn = tonumber(v[18] or ''), st = number(19), stw = number(20), stb = v[21] or '',
    lin = v[22] or '', was = v[23] or '', xn = number(24), xh = v[25] or '', late = number(26),
    wn = tonumber(v[27] or ''), wr = number(28), nn = number(29), mv = number(30),
    mending = v[31] or v[32],
    from = { v[1] and (v[3] or '') or '', v[1] and (v[4] or 'HALT') or '', number(11) } }   -- side, phase and level before
end

local function recorded(K)   -- the recorded end of this call's key: text, false where there is none, nil where it is no such record
  local done = redis.pcall('GET', K[8])
  if type(done) == 'table' or done and not string.match(done, RECORDED) then return nil end
  return done
end

local function put(K, record, retention)   -- the recorded end of a key; retention 0 keeps it for ever
  if retention == '0' then redis.call('SET', K[8], record) else redis.call('SET', K[8], record, 'PX', retention) end
end

local function answered(script, K, A)   -- what every script is called by
  local id = table.remove(A)
  local reply = script(K, A)
  if not reply.err then reply[#reply + 1] = id end
  return reply
end
