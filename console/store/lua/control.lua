-- Everything that changes who may act. Built only when it is needed: the hot scripts never pay for it.
-- No call touches more than AT_ONCE entries of what may grow: the rest is done by further calls, whoever makes them, and until then
-- the store stands so that nothing may act twice (a drain goes on, a claim keeps its key).
local AT_ONCE = 100
local built
local function control()
  if built then return built end
  local C = {}

  local function chained(head, kv)   -- the hash of an entry: of the previous hash and every name and value, each with its length
    local parts = { #head .. ':' .. head }
    for i = 1, #kv do parts[#parts + 1] = #kv[i] .. ':' .. kv[i] end
    return redis.sha1hex(table.concat(parts))
  end

  function C.save(K, c)
    redis.call('HSET', K[1], 'ep', int(c.ep), 'gen', int(c.gen), 'act', c.act, 'ph', c.ph, 'to', c.to, 'prev', c.prev,
      'dl', int(c.dl), 'sid', c.sid, 'rb', c.rb, 'hold', int(c.hold), 'lvl', int(c.lvl), 'ten', int(c.ten),
      'an', int(c.an), 'ah', c.ah, 'ln', int(c.ln), 'lh', c.lh, 'lin', c.lin, 'was', c.was)
  end

  -- Damage: a key that holds another type than it must is put aside, as evidence, so that halting always works. Which were, in words.
  local KINDS = { 'hash', 'hash', 'zset', 'stream', false, 'stream', 'hash' }
  local NAMES = { 'ctl', 'open', 'infl', 'acts', false, 'log', 'inst' }
  local function aside(key, kind, ms)
    local is = redis.call('TYPE', key).ok
    if is == 'none' or is == kind then return end
    redis.call('RENAME', key, key .. ':damaged:' .. int(ms))
    return is
  end
  function C.mend(K, ms)
    local broken = {}
    for i, kind in ipairs(KINDS) do
      local is = kind and aside(K[i], kind, ms)
      if is then broken[#broken + 1] = NAMES[i] .. ' was a ' .. is end
    end
    for _, name in ipairs({ 'owed', 'named', 'manifests' }) do
      local is = aside(beside(K, name), 'hash', ms)
      if is then broken[#broken + 1] = name .. ' was a ' .. is end
    end
    return table.concat(broken, ', ')
  end

  function C.recount(K, c)   -- after damage: what is there is all there is
    c.on, c.fn, c.wn = redis.call('HLEN', K[2]), redis.call('ZCARD', K[3]), redis.call('HLEN', beside(K, 'owed'))
    c.nn = redis.call('HLEN', beside(K, 'named'))
    redis.call('HSET', K[1], 'on', int(c.on), 'fn', int(c.fn), 'wn', int(c.wn), 'nn', int(c.nn))
  end

  -- Claims that the actions tell of, that have no end there and are not in `open`: back into doubt; and commitments that the actions
  -- tell of and that are not listed: listed again. Looks at the newest 10,000, some with each call: until then nobody claims.
  local LOOKED_AT = 10000
  local function look_back(K, c, ms, id, left)
    local seen = beside(K, 'mend')   -- what has an end: `!CLAIM ID`, `#COMMITMENT`
    aside(seen, 'hash', ms)
    local batch = redis.call('XREVRANGE', K[4], id, '-', 'COUNT', AT_ONCE)
    for _, entry in ipairs(batch) do
      local kind, at, idem, cid, rest = string.match(entry[2][4] or '', '^(%l+)\n%d+\n(%d+)\n([^\n]*)\n([^\n]*)\n?(.*)$')
      local about, record = string.match(entry[2][4] or '', '^owe\n%d+\n%d+\n([^\n]*)\n(.*)$')
      if about and redis.call('HEXISTS', seen, '#' .. about) == 0 then redis.call('HSETNX', beside(K, 'owed'), about, record) end
      about = about or kind == 'paid' and idem
      if about then redis.call('HSET', seen, '#' .. about, '') end
      if kind == 'settle' or kind == 'resolve' then redis.call('HSET', seen, '!' .. cid, '')
      elseif kind == 'claim' and redis.call('HEXISTS', seen, '!' .. cid) == 0 and redis.call('HEXISTS', K[2], idem) == 0
        and redis.call('EXISTS', beside(K, 'done:' .. idem)) == 0 then
        local inst, slot, ep, fp, amount, currency, dir, action =
          string.match(rest, '^([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n(.*)$')
        if inst then C.open(K, c, idem, { cid, inst, slot, ep, at, at, C.doubtful(K, c, ms), fp, amount, currency, dir, action }) end
      end
    end
    left = left - #batch
    if #batch < AT_ONCE or left <= 0 then
      redis.call('HDEL', K[1], 'rb_id', 'rb_left')
      redis.call('UNLINK', seen)
    else redis.call('HSET', K[1], 'rb_id', '(' .. batch[#batch][1], 'rb_left', int(left)) end
  end
  local function put_leases_back(K, cursor)
    local some
    cursor, some = unpack(redis.call('HSCAN', K[2], cursor, 'COUNT', AT_ONCE))
    for i = 1, #some, 2 do
      local f = { string.match(some[i + 1], OPEN) }
      if f[7] == 'C' then redis.call('ZADD', K[3], 'NX', f[6], some[i]) end
    end
    if cursor == '0' then redis.call('HDEL', K[1], 'ls_cur') else redis.call('HSET', K[1], 'ls_cur', cursor) end
  end
  function C.go_on(K, c, ms)   -- with what was begun after damage
    local id, left, cursor = unpack(redis.call('HMGET', K[1], 'rb_id', 'rb_left', 'ls_cur'))
    if id then look_back(K, c, ms, id, tonumber(left) or 0) elseif cursor then put_leases_back(K, cursor) else return end
    C.recount(K, c)
  end
  function C.rebuild(K, c, ms)
    redis.call('UNLINK', beside(K, 'mend'))
    redis.call('HSET', K[1], 'rb_id', '+', 'rb_left', LOOKED_AT)
    C.go_on(K, c, ms)
  end

  -- What was deleted, expired or cut of what only scripts write, in words; what was put right is counted anew, so it is told once.
  function C.damage(K, c, ms)
    local broken = {}
    local open, flying, owed = redis.call('HLEN', K[2]), redis.call('ZCARD', K[3]), redis.call('HLEN', beside(K, 'owed'))
    if c.on and open ~= c.on then
      broken[#broken + 1] = int(open) .. ' of ' .. int(c.on) .. ' open claims were there'
    end
    if c.wn and owed ~= c.wn then broken[#broken + 1] = int(owed) .. ' of ' .. int(c.wn) .. ' commitments were there' end
    local named = redis.call('HLEN', beside(K, 'named'))
    if named ~= c.nn then broken[#broken + 1] = int(named) .. ' of ' .. int(c.nn) .. ' names of commitments were there' end
    if #broken > 0 then C.rebuild(K, c, ms) end
    if c.fn and flying ~= c.fn then
      broken[#broken + 1] = int(flying) .. ' of ' .. int(c.fn) .. ' leases were there'
      redis.call('HSET', K[1], 'ls_cur', '0')
      C.go_on(K, c, ms)
    end
    if #broken > 0 or not c.on or not c.fn or not c.wn then C.recount(K, c) end
    for _, stream in ipairs({ { K[4], c.an, c.ah, 'actions' }, { K[6], c.ln, c.lh, 'control events' } }) do
      if stream[2] > 0 and newest(stream[1]) ~= stream[3] then broken[#broken + 1] = 'the newest ' .. stream[4] .. ' are missing' end
    end
    return table.concat(broken, ', ')
  end

  function C.keep(K, c, ms)   -- nothing of the authority may expire
    local kept = {}
    for i, kind in ipairs(KINDS) do
      if kind and redis.call('PERSIST', K[i]) == 1 then kept[#kept + 1] = NAMES[i] end
    end
    for _, name in ipairs({ 'owed', 'named', 'manifests' }) do
      if redis.call('PERSIST', beside(K, name)) == 1 then kept[#kept + 1] = name end
    end
    if #kept > 0 then C.event(K, c, ms, 'kept', 'outside', table.concat(kept, ', ') .. ' had been set to expire') end
  end

  -- Which authority somebody remembers that this store no longer has; resuming says that its loss is known.
  function C.lost(K, c, lineage)
    local lost = redis.call('HGET', K[1], 'lost') or ''
    if lineage ~= '' and not string.find(lost, lineage, 1, true) then lost = lost .. ' ' .. lineage end
    redis.call('HSET', K[1], 'lost', lost == '' and '-' or lost)
  end
  function C.begin_anew(K, c)   -- an operator who knows what was lost: whoever remembers it takes this authority for its successor
    local lost = redis.call('HGET', K[1], 'lost')
    if not lost then return end
    c.was = string.sub(c.was .. ' ' .. c.lin .. lost, -600)
    c.lin = redis.sha1hex(c.lin .. lost .. c.lh .. int(c.ep))
    redis.call('HDEL', K[1], 'lost')
    C.recount(K, c)
    c.ah, c.lh = newest(K[4]), newest(K[6])   -- the chains go on from what is there; `audit verify` goes on telling that they were cut
  end

  -- The steady clock: milliseconds that have certainly passed, whatever the server's clock was set to. A caller brings the clock of its
  -- host since boot (`boot id:ms`): between two calls from one boot exactly that has passed; else what the server's clock says, a second
  -- at the most. So heartbeats are missed one by one, and a jump of the server's clock makes nobody look dead.
  function C.steady(c, ms) return c.stw == 0 and ms or c.st + math.max(0, math.min(1000, ms - c.stw)) end
  local function move_leases(K, c)   -- those that are still as they were when the clock was moved, some at a time
    local moving = beside(K, 'moving')
    aside(moving, 'zset', now_ms())
    local some = redis.call('ZPOPMIN', moving, AT_ONCE)
    for i = 1, #some, 2 do
      if redis.call('ZSCORE', K[3], some[i]) == some[i + 1] then
        local f = { string.match(redis.call('HGET', K[2], some[i]) or '', OPEN) }
        redis.call('ZINCRBY', K[3], int(c.mv), some[i])
        if f[1] then f[6] = int(f[6] + c.mv); redis.call('HSET', K[2], some[i], table.concat(f, '\n')) end
      end
    end
    if redis.call('EXISTS', moving) == 0 then c.mv = 0 end
    if c.mv == 0 then redis.call('HDEL', K[1], 'mv') else redis.call('HSET', K[1], 'mv', int(c.mv)) end
  end
  function C.tick(K, c, ms, clock)
    local boot, at = string.match(clock or '', '^([^:]+):(%d+)$')
    local before, then_at = string.match(c.stb, '^([^:]+):(%d+)$')
    local passed, moved = nil, 0
    if boot and boot == before and tonumber(at) >= tonumber(then_at) then
      passed = at - then_at
      moved = ms - c.stw - passed
    end
    if c.mv ~= 0 then move_leases(K, c) end
    if c.stw > 0 and ms >= c.stw and ms - c.stw < 200 and math.abs(moved) < 2000 then return C.steady(c, ms) end
    c.st = passed and c.st + passed or C.steady(c, ms)
    c.stw, c.stb = ms, clock or ''
    redis.call('HSET', K[1], 'st', int(c.st), 'stw', int(ms), 'stb', c.stb)
    if math.abs(moved) >= 2000 and not c.new then   -- named, and what was to end by that clock is moved along with it
      redis.call('ZRANGESTORE', beside(K, 'moving'), K[3], 0, -1)
      c.mv = moved
      if c.dl > 0 then c.dl = c.dl + moved end
      if c.hold > 0 then c.hold = c.hold + moved end
      move_leases(K, c)
      C.event(K, c, ms, 'clock', 'outside', "the server's clock was moved by " .. int(moved) .. ' ms')
    end
    return c.st
  end

  -- Who acts (c.src), what for (c.aim) and for which side (c.side) stand in the event, beside the words that people read.
  local SRC = { adopted = 'outside', reasserted = 'outside', kept = 'outside', clock = 'outside', ack = 'agent', left = 'agent',
    late = 'agent', rollback = 'trip' }
  local function as(c, src, act)   -- what `act` changes is done by `src`
    local before, aim = c.src, c.aim
    c.src, c.aim = src, nil
    local result = act()
    c.src, c.aim = before, aim
    return result
  end
  local NOBODY = { HALT = 'halted', DRAIN = 'draining' }
  function C.event(K, c, ms, kind, by, why, extra)   -- also tells what stood before: the side (or halted, draining), and the level
    c.ln = c.ln + 1
    local was, level = NOBODY[c.from[2]] or c.from[1], c.from[3]
    c.from = { c.act, c.ph, c.lvl }
    local kv = { 'n', int(c.ln), 'ts', int(ms), 'k', kind, 'ep', int(c.ep), 'gen', int(c.gen), 'ph', c.ph, 'act', c.act,
      'to', c.to, 'prev', c.prev, 'lvl', int(c.lvl), 'by', by, 'why', why, 'infl', int(redis.call('ZCARD', K[3])), 'ah', c.ah }
    kv[#kv + 1] = 'from'; kv[#kv + 1] = was
    kv[#kv + 1] = 'lvl0'; kv[#kv + 1] = int(level)
    kv[#kv + 1] = 'src'; kv[#kv + 1] = SRC[kind] or c.src or 'operator'
    if c.aim and c.aim ~= '' and not SRC[kind] then
      kv[#kv + 1] = 'aim'; kv[#kv + 1] = c.aim
      kv[#kv + 1] = 'side'; kv[#kv + 1] = c.side or ''
    end
    if c.cause and (kind == 'rollback' or not SRC[kind]) then   -- what a trigger saw: its name, an amount in millionths, its currency
      kv[#kv + 1] = 'trigger'; kv[#kv + 1] = c.cause[1]
      if c.cause[2] then
        kv[#kv + 1] = 'amount'; kv[#kv + 1] = c.cause[2]
        kv[#kv + 1] = 'currency'; kv[#kv + 1] = c.cause[3]
      end
    end
    for i = 1, extra and #extra or 0 do kv[#kv + 1] = extra[i] end
    c.lh = chained(c.lh, kv)
    aside(K[6], 'stream', ms)   -- who may act is never left half changed because this could not be written
    if c.new then redis.call('HSET', K[1], 'ln', int(c.ln), 'lh', c.lh) else C.save(K, c) end
    c.event_id = redis.call('XADD', K[6], '*', 'h', c.lh, unpack(kv))
    if kind == 'level' then redis.call('HSET', K[1], 'fz_by', by, 'fz_ms', int(ms)) end
  end

  -- Hybrid: at least the server's clock, so that an epoch is never reused even by a store that lost its data.
  local function rise(c, ms)
    c.ep = math.max(c.ep + 1, ms)
    c.gen = c.gen + 1
    if c.lin == '' then c.lin = redis.sha1hex(int(ms) .. c.act .. c.lh .. tostring(c)) end
    c.new = false
  end

  local function mirror(K, value)   -- SET alone would do; DEL says aloud that a key of another type is thrown away
    local _, wrong = plain(K)
    if wrong then redis.call('DEL', K[5]) end
    redis.call('SET', K[5], value)
    return wrong
  end

  -- A side that a finished canary led to has lost its turn: none of the capital is its any more, wherever rounds are shared out.
  local function take_canary_back(K, c, ms, target, by, why)
    local name = beside(K, 'canary')
    local v = redis.pcall('HMGET', name, 'slot', 'state', 'run', 'rev')
    if v.err or v[2] ~= 'DONE' or v[1] ~= c.prev or v[1] == target then return end
    local rev = int((tonumber(v[4]) or 0) + 1)
    redis.call('HSET', name, 'state', 'ABORTED', 'step', 0, 'rev', rev, 'share', '0', 'budget', '', 'since', int(ms), 'by', by, 'why', why,
      'src', c.src or 'operator')
    local id = c.event_id   -- callers name the event of the change itself
    C.event(K, c, ms, 'canary', by, why, { 'run', v[3] or '', 'did', 'abort', 'state', 'ABORTED', 'step', '0', 'rev', rev, 'share', '0' })
    c.event_id = id
  end

  function C.activate(K, c, ms, target, kind, by, why, extra)
    if c.act ~= '' and c.act ~= target then c.prev = c.act end
    rise(c, ms)
    c.act, c.ph, c.to, c.dl, c.hold, c.ten = target, 'RUN', '', 0, 0, c.ep
    redis.call('HSET', K[1], 'c_claim', 0, 'c_ok', 0, 'c_fail', 0, 'c_streak', 0, 'c_doubt', 0, 'c_pnl', 0, 'c_amt', 0,
      'c_late', 0)
    local wrong = mirror(K, target)
    extra = extra or {}
    if wrong then extra[#extra + 1] = 'replaced'; extra[#extra + 1] = wrong end
    if c.wn and c.wn > 0 then extra[#extra + 1] = 'owed'; extra[#extra + 1] = int(c.wn) end   -- what passes over with it, or is pinned
    C.event(K, c, ms, kind, by, why, extra)
    take_canary_back(K, c, ms, target, by, why)
  end

  function C.halt(K, c, ms, by, why, keep)
    if c.act ~= '' then c.prev = c.act end
    rise(c, ms)
    c.act, c.ph, c.to, c.dl, c.hold, c.lvl = '', 'HALT', '', 0, 0, 3
    local wrong = not keep and mirror(K, 'halted')
    C.event(K, c, ms, 'halt', by, why, wrong and { 'replaced', wrong })
  end

  -- The state of a doubt that begins now: with the moment on the steady clock from which a quarantine is counted, the lease's end.
  function C.doubtful(K, c, ms, deadline) return 'D' .. int(C.steady(c, ms) + math.max(0, (tonumber(deadline) or ms) - ms)) end

  function C.open(K, c, idem, fields)   -- a record in `open`, counted, so that one that vanishes is noticed
    if redis.call('HSET', K[2], idem, table.concat(fields, '\n')) == 1 and c.on then
      c.on = c.on + 1
      redis.call('HSET', K[1], 'on', int(c.on))
    end
  end

  function C.doubt(K, c, ms, idem, raw, why)   -- a claim whose outcome nobody knows: visible, never repeated
    local cid, inst, slot, ep, at, dl, _, fp, amt, cur, dir, action = string.match(raw, OPEN)
    C.open(K, c, idem, { cid, inst, slot, ep, at, dl, C.doubtful(K, c, ms, dl), fp, amt, cur, dir, action })
    if redis.call('ZREM', K[3], idem) == 1 and c.fn then
      c.fn = c.fn - 1
      redis.call('HSET', K[1], 'fn', int(c.fn))
    end
    c.an = c.an + 1
    append(K, c, table.concat({ 'doubt', int(c.an), int(ms), idem, cid, inst, slot, ep, why }, '\n'))
    redis.call('HSET', K[1], 'an', int(c.an), 'ah', c.ah)
    C.count_doubt(K, slot, 1)
    if tonumber(ep) >= c.ten then redis.call('HINCRBY', K[1], 'c_doubt', 1) end
  end
  -- How many doubts are each side's. Where that is not known it is again with the first doubt after there was none.
  local SIDES = { 'd_blue', 'd_green' }
  local function doubts(K) return redis.call('HLEN', K[2]) - redis.call('ZCARD', K[3]) end
  function C.count_doubt(K, slot, by)
    if by > 0 and doubts(K) == 1 then redis.call('HSET', K[1], SIDES[1], 0, SIDES[2], 0) end
    if SLOTS[slot] and redis.call('HEXISTS', K[1], 'd_' .. slot) == 1 then redis.call('HINCRBY', K[1], 'd_' .. slot, by) end
  end

  -- The first sending of a key outlives the claim that sent it, as long as any venue's window and the result that is recorded: a later claim of the
  -- key sends it again. The mark that is there stands; one that can't be read, like an unknown moment, is the longest ago.
  local NOBODY_KNOWS, LONGEST = '0\n0\n0\n', 366 * 86400000
  function C.sent(K, key)   -- first, since, span, the claim that came too late; nil for a key without a mark
    local mark = redis.pcall('GET', beside(K, 'sent:' .. key))
    if mark then return string.match(type(mark) == 'string' and string.find(mark, SENT) and mark or NOBODY_KNOWS, SENT) end
  end
  function C.mark_sent(K, key, retention, first, since, span)   -- without a moment: nobody knows when
    local name = beside(K, 'sent:' .. key)
    local is = { C.sent(K, key) }
    local mark = is[1] and table.concat(is, '\n') or first and table.concat({ first, int(since), int(math.max(0, span)), '' }, '\n') or NOBODY_KNOWS
    local kept = tonumber(retention) or 0
    if kept == 0 then redis.call('SET', name, mark) else redis.call('SET', name, mark, 'PX', int(kept + LONGEST)) end
  end
  -- Whether a venue may have forgotten a key: by the server's clock or by the steady one, whichever makes it older; a sending that lies ahead was
  -- before the clock was set back. nil where the mark can't be read.
  function C.outlived(K, mark, ms, window, lease)
    local first, since, span = string.match(type(mark) == 'string' and mark or '', SENT)
    if not first then return nil end
    local steady = C.steady(load(K), ms) - since + math.max(tonumber(span), lease)
    return ms < tonumber(first) or math.max(ms - first, steady) >= window, first
  end
  function C.too_late(K, c, ms, idem, cid, mark)   -- a claim that is in doubt from its first moment: nobody was told to send it
    C.doubt(K, c, ms, idem, redis.call('HGET', K[2], idem), 'past the window')
    redis.call('SET', beside(K, 'sent:' .. idem), string.match(mark, '^%d+\n%d+\n%d+\n') .. cid, 'KEEPTTL')
  end

  -- What is owed. Whose a commitment is stands nowhere: it is the slot of its pin, else whoever is active. So a switch hands over what is
  -- not pinned by being one, and nothing is ever without an owner or has two.
  local function write_owed(K, c, ms, id, record)
    local new = redis.call('HSET', beside(K, 'owed'), id, record)
    c.wn = (c.wn or redis.call('HLEN', beside(K, 'owed')) - new) + new
    c.wr, c.an = c.wr + 1, c.an + 1
    append(K, c, table.concat({ 'owe', int(c.an), int(ms), id, record }, '\n'))
    redis.call('HSET', K[1], 'wn', int(c.wn), 'wr', int(c.wr), 'an', int(c.an), 'ah', c.ah)
  end
  function C.owe(K, c, ms, id, who, body)   -- who opens it, or changes it: then it keeps the stamps that it has
    local raw = redis.call('HGET', beside(K, 'owed'), id)
    local _, slot, version, ep, at = string.match(raw or '', OWED)
    if not slot then slot, version, ep, at = who.slot, who.version, who.ep, int(ms) end
    local pin = string.match(body, BODY) == 'new adopts' and '' or slot
    write_owed(K, c, ms, id, table.concat({ pin, slot, version, ep, at, body }, '\n'))
  end
  function C.give(K, c, ms, id, raw, pin, policy)   -- who takes it from now on: a slot, or '' for whoever is active
    local _, slot, version, ep, at, body = string.match(raw, OWED)
    body = string.gsub(body, '^([^\n]*)\n[^\n]*', function(kind) return kind .. '\n' .. policy end)
    write_owed(K, c, ms, id, table.concat({ pin, slot, version, ep, at, body }, '\n'))
  end
  function C.paid(K, c, ms, id, by, why)
    if redis.call('HDEL', beside(K, 'owed'), id) == 0 then return end
    c.wn = (c.wn or redis.call('HLEN', beside(K, 'owed')) + 1) - 1
    c.wr, c.an = c.wr + 1, c.an + 1
    append(K, c, table.concat({ 'paid', int(c.an), int(ms), id, by, why }, '\n'))
    redis.call('HSET', K[1], 'wn', int(c.wn), 'wr', int(c.wr), 'an', int(c.an), 'ah', c.ah)
  end
  function C.pin(K, id) return string.match(redis.call('HGET', beside(K, 'owed'), id or '') or '', '^[^\n]*') end

  -- Whether a claim may name a commitment; else, why not. A[15] open|change|close 16 id 17 version 18 what it is then
  function C.unnameable(K, A, active)
    local op, id, body = A[15], A[16] or '', A[18] or ''
    local _, amount = string.match(body, BODY)
    local known = op == 'open' or op == 'change' or op == 'close'
    if not known or id == '' or string.find(id .. (A[17] or ''), '%c') or (op ~= 'close' and not (amount and is_money(amount) and not negative(amount))) then
      return 'BADARG', 'commitment'
    end
    local counts = redis.call('HMGET', K[1], 'wn', 'nn')
    for i, name in ipairs({ 'owed', 'named' }) do   -- who names what must be whole: else two could close the same thing
      local there = redis.pcall('HLEN', beside(K, name))
      if type(there) == 'table' or there ~= tonumber(counts[i] or there) then return 'DAMAGED', name end
    end
    local raw = redis.call('HGET', beside(K, 'owed'), id)
    local other = redis.call('HGET', beside(K, 'named'), '=' .. id)
    if op == 'open' and raw then return 'OWED', string.match(raw, '^[^\n]*\n([^\n]*)') end
    if op ~= 'open' and not raw then return 'NOT_OWED', id end
    if other then return 'NAMED', other end
    local pin = op ~= 'open' and string.match(raw, '^[^\n]*') or ''
    local owner = pin == '' and active or pin
    if owner ~= A[1] then return 'NOT_OWNER', owner end
  end
  function C.name(K, A)   -- a granted claim names it
    redis.call('HSET', beside(K, 'named'), '=' .. A[16], A[3], '#' .. A[3], table.concat({ A[15], A[16], A[17], A[18] or '' }, '\n'))
    redis.call('HINCRBY', K[1], 'nn', 2)
  end
  -- The end of a claim that named a commitment. `said`: what the report itself says of that, where the store no longer knows.
  function C.ended(K, c, ms, key, executed, who, said)
    local named = beside(K, 'named')
    if c.nn > 0 then aside(named, 'hash', ms) end
    local raw = c.nn > 0 and redis.call('HGET', named, '#' .. key) or said
    local op, id, version, body = string.match(raw or '', '^(%l+)\n([^\n]+)\n([^\n]*)\n(.*)$')
    if not op then return end
    local gone = redis.call('HDEL', named, '#' .. key)
    if redis.call('HGET', named, '=' .. id) == key then gone = gone + redis.call('HDEL', named, '=' .. id) end
    if gone > 0 then c.nn = tonumber(redis.call('HINCRBY', K[1], 'nn', -gone)) end
    if not executed then return end
    aside(beside(K, 'owed'), 'hash', ms)   -- what was executed is never left unrecorded because this could not be written
    who.version = version
    local is = redis.call('HGET', beside(K, 'owed'), id)
    if op == 'close' then C.paid(K, c, ms, id, who.by, key)
    elseif op == 'change' and is or op == 'open' and not is then C.owe(K, c, ms, id, who, body) end
  end

  local function all_in_doubt(K, c, ms, keys, why)
    c.did = (c.did or 0) + #keys
    for _, idem in ipairs(keys) do
      local raw = redis.call('HGET', K[2], idem)
      if raw and string.match(raw, OPEN) then C.doubt(K, c, ms, idem, raw, why)
      elseif redis.call('ZREM', K[3], idem) == 1 and c.fn then c.fn = c.fn - 1; redis.call('HSET', K[1], 'fn', int(c.fn)) end
    end
  end

  function C.sweep(K, c, ms)   -- leases that ended without a word
    if c.mv ~= 0 then return end   -- leases are being moved along with the clock: which of them ended is not known yet
    local left = AT_ONCE - (c.did or 0)
    all_in_doubt(K, c, ms, redis.call('ZRANGEBYSCORE', K[3], '-inf', int(ms), 'LIMIT', 0, left), 'lease')
  end

  -- What gates were asked about, as it was then: events/commitments/doubts; an empty part is not bound. Which of them is otherwise now.
  function C.otherwise(K, c, basis)
    local events, commitments, doubts = string.match(basis, '^(%d*)/(%d*)/(%d*)$')
    if not events then return 'basis' end
    if events ~= '' and tonumber(events) ~= c.ln then return 'events' end
    if commitments ~= '' and tonumber(commitments) ~= c.wr then return 'commitments' end
    if doubts ~= '' and tonumber(doubts) ~= redis.call('HLEN', K[2]) - redis.call('ZCARD', K[3]) then return 'doubts' end
  end

  -- Whoever calls next finishes a drain: there is no coordinator that could die. `hold` is a dead time for plain agents.
  function C.drain(K, c, ms)
    if c.ph ~= 'DRAIN' or ms < c.hold or c.mending then return end
    if redis.call('ZCARD', K[3]) > 0 then
      if ms < c.dl or c.mv ~= 0 then return end
      local left = AT_ONCE - (c.did or 0)
      if left > 0 then all_in_doubt(K, c, ms, redis.call('ZRANGE', K[3], 0, left - 1), 'drain deadline') end
      if redis.call('ZCARD', K[3]) > 0 then return end   -- nobody claims until the last of them is in doubt
      as(c, 'drain', function() C.activate(K, c, ms, c.to, 'switched', 'drain', 'deadline') end)
    else
      as(c, 'drain', function() C.activate(K, c, ms, c.to, 'switched', 'drain', 'drained') end)
    end
  end

  -- Somebody wrote the plain key by hand. In RUN a known slot is a switch, anything else a halt; HALT and DRAIN win over it.
  -- A key of another type is not overwritten here: only an operator may throw it away.
  function C.adopt(K, c, ms)
    local text, wrong = plain(K)
    if c.ph ~= 'RUN' then
      local want = c.ph == 'HALT' and 'halted' or 'draining'
      if text ~= want and not wrong then
        redis.call('SET', K[5], want)
        C.event(K, c, ms, 'reasserted', 'outside', 'plain key was ' .. (text or 'missing'), text and { 'plain', text })
      end
    elseif text ~= c.act then
      if wrong then as(c, 'outside', function() C.halt(K, c, ms, 'outside', 'plain key holds a ' .. wrong, true) end)
      elseif text and SLOTS[text] then
        c.rb = '0'   -- somebody meant it: as good as an operator's switch
        C.activate(K, c, ms, text, 'adopted', 'outside', 'plain key was written')
      else as(c, 'outside', function() C.halt(K, c, ms, 'outside', 'plain key was ' .. (text or 'deleted')) end) end
    end
  end

  -- Heartbeats, name and text in turn: all of them, or where there are more than AT_ONCE so many, first of all those that
  -- beat last of the ready ones of each side.
  local function heartbeats(K)
    if redis.call('HLEN', K[7]) <= AT_ONCE then return redis.call('HGETALL', K[7]) end
    local all, cursor = {}, '0'
    for _, name in ipairs(redis.call('HMGET', K[1], 'hr_blue', 'hr_green')) do
      local raw = name and redis.call('HGET', K[7], name)
      if raw then all[#all + 1] = name; all[#all + 1] = raw end
    end
    repeat
      local some
      cursor, some = unpack(redis.call('HSCAN', K[7], cursor, 'COUNT', AT_ONCE / 2))
      for i = 1, math.min(#some, 2 * AT_ONCE) do all[#all + 1] = some[i] end
    until cursor == '0' or #all >= 2 * AT_ONCE
    return all
  end

  -- Whether a side is known healthy: a ready instance with a fresh heartbeat that reads the state's schema. Else, why not.
  function C.unhealthy(K, c, ms, slot)
    local limit = tonumber(redis.call('HGET', K[1], 'hb') or 5000)
    local all, schema, best, seen, fresh, ready = heartbeats(K), 0, -1, false, false, false
    for i = 2, #all, 2 do
      local ok, o = pcall(cjson.decode, all[i])
      if ok and type(o) == 'table' then
        -- By the steady clock, as long as somebody beats; where nobody does it stands still, and the server's clock counts.
        local steady = tonumber(o.st) and ms - c.stw <= limit
        local age = steady and C.steady(c, ms) - tonumber(o.st) or ms - (tonumber(o.ms) or 0)
        if o.slot == c.act and age <= limit then schema = math.max(schema, tonumber(o.schema) or 0) end
        if o.slot == slot then
          seen = true
          if age <= limit then
            fresh = true
            if o.ready == true then ready = true; best = math.max(best, tonumber(o.schema) or 0) end
          end
        end
      end
    end
    if not seen then return slot .. ' has no instance' end
    if not fresh then return slot .. ' has no fresh heartbeat' end
    if not ready then return slot .. ' is not ready' end
    if best < schema then return slot .. ' does not read state schema ' .. int(schema) end
  end

  function C.left_doubts(K, ms, slot)   -- actions of a side of which nobody knows how they ended
    local all, over = doubts(K), redis.call('ZCOUNT', K[3], '-inf', int(ms))
    if all <= 0 and over == 0 then return end
    local known, number = redis.call('HMGET', K[1], SIDES[1], SIDES[2], 'd_' .. slot), 0
    if (tonumber(known[1]) or -1) + (tonumber(known[2]) or -1) == all and over <= AT_ONCE then
      number = tonumber(known[3])
      for _, idem in ipairs(redis.call('ZRANGEBYSCORE', K[3], '-inf', int(ms))) do
        local _, _, whose = string.match(redis.call('HGET', K[2], idem) or '', OPEN)
        if whose == slot then number = number + 1 end
      end
    elseif redis.call('HLEN', K[2]) > AT_ONCE then
      return 'whose ' .. int(all + over) .. ' actions in doubt are is not known'
    else
      local raw = redis.call('HGETALL', K[2])
      for i = 2, #raw, 2 do
        local _, _, whose, _, _, deadline, state = string.match(raw[i], OPEN)
        if whose == slot and (state ~= 'C' or tonumber(deadline) <= ms) then number = number + 1 end
      end
    end
    if number > 0 then return slot .. ' left ' .. int(number) .. ' actions in doubt' end
  end

  -- A trip-wire was touched: one automatic roll back per operator's switch, to a side known healthy that left no doubt; else halt.
  function C.trip(K, c, ms, why)
    if c.ph ~= 'RUN' then return '' end
    local no
    if c.rb ~= '0' then no = 'roll back already used'
    elseif c.prev == '' or c.prev == c.act then no = 'no previous side'
    else no = C.unhealthy(K, c, ms, c.prev) or C.left_doubts(K, ms, c.prev) end
    if no then
      as(c, 'trip', function() C.halt(K, c, ms, 'trip', why .. ' (' .. no .. ')') end)
      return 'halt'
    end
    c.rb = '1'
    C.activate(K, c, ms, c.prev, 'rollback', 'trip', why)
    return 'rollback'
  end

  function C.lost_money(c, millionths, currency)   -- the reason, in words; what they say stands beside it as data
    c.cause = { 'pnl', millionths, currency }
    local sign, whole, rest = string.match(millionths, '^(%-?)(%d+)%.?(%d*)$')
    whole = string.rep('0', 7 - #whole) .. whole
    rest = string.gsub(string.sub(whole, -6) .. rest, '0+$', '')
    return 'loss ' .. sign .. string.sub(whole, 1, -7) .. (rest ~= '' and '.' .. rest or '') .. ' ' .. currency
  end

  function C.tripped(K, c)   -- which trip-wire the counters touch, if any
    local t = redis.call('HMGET', K[1], 't_loss', 't_streak', 't_doubt', 'c_pnl', 'c_streak', 'c_doubt', 'cur')
    if t[1] and not over(t[4] or '0', less(t[1])) then return C.lost_money(c, t[4], t[7] or '') end
    if t[2] and tonumber(t[5] or 0) >= tonumber(t[2]) then c.cause = { 'streak' }; return 'streak ' .. t[5] end
    if t[3] and tonumber(t[6] or 0) >= tonumber(t[3]) then c.cause = { 'doubts' }; return 'in doubt ' .. t[6] end
  end

  -- Manifests: what each version is held to, and, under `~`, what an instance of it said that is another (see beat.lua).
  -- An operator who resumes accepts those that run: what was said by processes that are dead is forgotten, and freezes when it comes again.
  local function runs(K, all, ms, version, mark)
    local limit = tonumber(redis.call('HGET', K[1], 'hb') or '') or 5000
    for i = 2, #all, 2 do
      local ok, o = pcall(cjson.decode, all[i])
      if ok and type(o) == 'table' and o.version == version and (o.manifest or '') == mark and ms - (tonumber(o.ms) or 0) <= limit then
        return true
      end
    end
  end
  function C.accept(K, c, ms)   -- which versions, in words, with the manifest that each is held to from now on
    local key, accepted = beside(K, 'manifests'), {}
    aside(key, 'hash', ms)
    local all, beats = redis.call('HGETALL', key), heartbeats(K)   -- of 100 versions at the most
    for i = 1, #all, 2 do
      local version = string.match(all[i], '^~(.*)$')
      if version then
        local other, held = string.match(all[i + 1], MANIFEST_MARK) or '', redis.call('HGET', key, '=' .. version)
        if runs(K, beats, ms, version, other) then
          local before, was = string.match(held or '', MANIFEST_MARK) or '', string.match(held or '', MANIFEST_WAS) or ''
          if before ~= '' then was = string.sub(was .. ' ' .. before, -MANIFESTS_WAS) end
          local at, slot, inst, _, text = string.match(all[i + 1], MANIFEST)
          redis.call('HSET', key, '=' .. version, table.concat({ at, slot, inst, was, text }, '\n'))
          accepted[#accepted + 1] = version .. ' ' .. (other == '' and 'none' or string.sub(other, 1, 12))
        end
        redis.call('HDEL', key, '~' .. version)
      end
    end
    return table.concat(accepted, ', ')
  end

  function C.state(K, c, ms, code, detail)   -- the one shape in which every control script answers
    return { code, int(c.ep), int(c.gen), c.ph, c.act, c.to, c.prev, int(c.dl), int(c.lvl), int(redis.call('ZCOUNT', K[3], '(' .. int(ms), '+inf')),
      int(redis.call('HLEN', K[2])), int(ms), detail or '', c.event_id or '' }
  end

  -- One audit entry in the same step: the caller's fields from ARGV[from] on, then what this script knows better. Chained like `log`.
  function C.audit(K, key, A, from, c, ms, before, after)
    if #A < from then return '' end
    local kv = {}
    for i = from, #A do kv[#kv + 1] = A[i] end
    if before then kv[#kv + 1] = 'before'; kv[#kv + 1] = before end
    if after then kv[#kv + 1] = 'after'; kv[#kv + 1] = after end
    kv[#kv + 1] = 'epoch'; kv[#kv + 1] = int(c.ep)
    kv[#kv + 1] = 'ms'; kv[#kv + 1] = int(ms)
    return C.receipt(K, key, c, ms, kv)
  end

  function C.receipt(K, key, c, ms, kv)
    c.xn = c.xn + 1
    kv[#kv + 1] = 'n'; kv[#kv + 1] = int(c.xn)
    c.xh = chained(c.xh, kv)
    aside(key, 'stream', ms)
    redis.call('HSET', K[1], 'xn', int(c.xn), 'xh', c.xh)
    return redis.call('XADD', key, '*', 'h', c.xh, unpack(kv))
  end

  -- What is allowed at a level, in words; and who froze it when.
  C.ALLOWED = { [0] = 'everything', 'no new entries', 'reduce only', 'nothing' }
  function C.frozen(K)
    local by, at = unpack(redis.call('HMGET', K[1], 'fz_by', 'fz_ms'))
    if at then return by, at end
    for _, entry in ipairs(redis.call('XREVRANGE', K[6], '+', '-', 'COUNT', AT_ONCE)) do   -- of an earlier release
      local f = {}
      for i = 1, #entry[2], 2 do f[entry[2][i]] = entry[2][i + 1] end
      if f.k == 'level' then return f.by or '', f.ts or '' end
    end
  end

  built = C
  return C
end
