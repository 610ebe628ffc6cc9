-- Everything that changes who may act. Built only when it is needed: the hot scripts never pay for it.
local built
local function control()
  if built then return built end
  local C = {}

  function C.save(K, c)
    redis.call('HSET', K[1], 'ep', int(c.ep), 'gen', int(c.gen), 'act', c.act, 'ph', c.ph, 'to', c.to, 'prev', c.prev,
      'dl', int(c.dl), 'sid', c.sid, 'rb', c.rb, 'hold', int(c.hold), 'lvl', int(c.lvl), 'ten', int(c.ten),
      'an', int(c.an), 'ah', c.ah, 'ln', int(c.ln), 'lh', c.lh)
  end

  -- One control event: the hash covers the previous hash and every name and value, each with its length.
  function C.event(K, c, ms, kind, by, why, extra)
    c.ln = c.ln + 1
    local kv = { 'n', int(c.ln), 'ts', int(ms), 'k', kind, 'ep', int(c.ep), 'gen', int(c.gen), 'ph', c.ph, 'act', c.act,
      'to', c.to, 'prev', c.prev, 'lvl', int(c.lvl), 'by', by, 'why', why, 'infl', int(redis.call('ZCARD', K[3])), 'ah', c.ah }
    for i = 1, extra and #extra or 0 do kv[#kv + 1] = extra[i] end
    local parts = { #c.lh .. ':' .. c.lh }
    for i = 1, #kv do parts[#parts + 1] = #kv[i] .. ':' .. kv[i] end
    c.lh = redis.sha1hex(table.concat(parts))
    if c.new then redis.call('HSET', K[1], 'ln', int(c.ln), 'lh', c.lh) else C.save(K, c) end
    c.event_id = redis.call('XADD', K[6], '*', 'h', c.lh, unpack(kv))
  end

  -- Hybrid: at least the server's clock, so that an epoch is never reused even by a store that lost its data.
  local function rise(c, ms)
    c.ep = math.max(c.ep + 1, ms)
    c.gen = c.gen + 1
    c.new = false
  end

  local function mirror(K, value)   -- SET alone would do; DEL says aloud that a key of another type is thrown away
    local _, wrong = plain(K)
    if wrong then redis.call('DEL', K[5]) end
    redis.call('SET', K[5], value)
    return wrong
  end

  function C.activate(K, c, ms, target, kind, by, why, extra)
    if c.act ~= '' and c.act ~= target then c.prev = c.act end
    rise(c, ms)
    c.act, c.ph, c.to, c.dl, c.hold, c.ten = target, 'RUN', '', 0, 0, c.ep
    redis.call('HSET', K[1], 'c_claim', 0, 'c_ok', 0, 'c_fail', 0, 'c_streak', 0, 'c_doubt', 0, 'c_pnl', 0, 'c_amt', 0)
    local wrong = mirror(K, target)
    if wrong then extra = extra or {}; extra[#extra + 1] = 'replaced'; extra[#extra + 1] = wrong end
    C.event(K, c, ms, kind, by, why, extra)
  end

  function C.halt(K, c, ms, by, why, keep)
    if c.act ~= '' then c.prev = c.act end
    rise(c, ms)
    c.act, c.ph, c.to, c.dl, c.hold, c.lvl = '', 'HALT', '', 0, 0, 3
    local wrong = not keep and mirror(K, 'halted')
    C.event(K, c, ms, 'halt', by, why, wrong and { 'replaced', wrong })
  end

  function C.doubt(K, c, ms, idem, raw, why)   -- a claim whose outcome nobody knows: visible, never repeated
    local cid, inst, slot, ep, at, dl, _, fp, amt, cur, dir, action = string.match(raw, OPEN)
    redis.call('HSET', K[2], idem, table.concat({ cid, inst, slot, ep, at, dl, 'D', fp, amt, cur, dir, action }, '\n'))
    redis.call('ZREM', K[3], idem)
    c.an = c.an + 1
    append(K, c, table.concat({ 'doubt', int(c.an), int(ms), idem, cid, inst, slot, ep, why }, '\n'))
    redis.call('HSET', K[1], 'an', int(c.an), 'ah', c.ah)
    if tonumber(ep) >= c.ten then redis.call('HINCRBY', K[1], 'c_doubt', 1) end
  end

  local function all_in_doubt(K, c, ms, keys, why)
    for _, idem in ipairs(keys) do
      local raw = redis.call('HGET', K[2], idem)
      if raw then C.doubt(K, c, ms, idem, raw, why) else redis.call('ZREM', K[3], idem) end
    end
  end

  function C.sweep(K, c, ms)   -- leases that ended without a word
    all_in_doubt(K, c, ms, redis.call('ZRANGEBYSCORE', K[3], '-inf', int(ms), 'LIMIT', 0, 100), 'lease')
  end

  -- Whoever calls next finishes a drain: there is no coordinator that could die. `hold` is a dead time for plain agents.
  function C.drain(K, c, ms)
    if c.ph ~= 'DRAIN' or ms < c.hold then return end
    if redis.call('ZCARD', K[3]) > 0 then
      if ms < c.dl then return end
      all_in_doubt(K, c, ms, redis.call('ZRANGE', K[3], 0, -1), 'drain deadline')
      C.activate(K, c, ms, c.to, 'switched', 'drain', 'deadline')
    else
      C.activate(K, c, ms, c.to, 'switched', 'drain', 'drained')
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
        C.event(K, c, ms, 'reasserted', 'outside', 'plain key was ' .. (text or 'missing'))
      end
    elseif text ~= c.act then
      if wrong then C.halt(K, c, ms, 'outside', 'plain key holds a ' .. wrong, true)
      elseif text and SLOTS[text] then
        c.rb = '0'   -- somebody meant it: as good as an operator's switch
        C.activate(K, c, ms, text, 'adopted', 'outside', 'plain key was written')
      else C.halt(K, c, ms, 'outside', 'plain key was ' .. (text or 'deleted')) end
    end
  end

  -- Whether a side is known healthy: a ready instance with a fresh heartbeat that reads the state's schema. Else, why not.
  function C.unhealthy(K, c, ms, slot)
    local limit = tonumber(redis.call('HGET', K[1], 'hb') or 5000)
    local all, schema, best, seen, fresh, ready = redis.call('HGETALL', K[7]), 0, -1, false, false, false
    for i = 2, #all, 2 do
      local ok, o = pcall(cjson.decode, all[i])
      if ok and type(o) == 'table' then
        local age = ms - (tonumber(o.ms) or 0)
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

  -- A trip-wire was touched: one automatic roll back per operator's switch, to a side known healthy; else halt.
  function C.trip(K, c, ms, why)
    if c.ph ~= 'RUN' then return '' end
    local no
    if c.rb ~= '0' then no = 'roll back already used'
    elseif c.prev == '' or c.prev == c.act then no = 'no previous side'
    else no = C.unhealthy(K, c, ms, c.prev) end
    if no then C.halt(K, c, ms, 'trip', why .. ' (' .. no .. ')'); return 'halt' end
    c.rb = '1'
    C.activate(K, c, ms, c.prev, 'rollback', 'trip', why)
    return 'rollback'
  end

  function C.tripped(K)   -- which trip-wire the counters touch, if any
    local t = redis.call('HMGET', K[1], 't_loss', 't_streak', 't_doubt', 'c_pnl', 'c_streak', 'c_doubt')
    if t[1] and tonumber(t[4] or 0) <= -tonumber(t[1]) then return 'loss ' .. t[4] end
    if t[2] and tonumber(t[5] or 0) >= tonumber(t[2]) then return 'streak ' .. t[5] end
    if t[3] and tonumber(t[6] or 0) >= tonumber(t[3]) then return 'in doubt ' .. t[6] end
  end

  function C.state(K, c, ms, code, detail)   -- the one shape in which every control script answers
    return { code, int(c.ep), int(c.gen), c.ph, c.act, c.to, c.prev, int(c.dl), int(c.lvl), int(redis.call('ZCARD', K[3])),
      int(redis.call('HLEN', K[2])), int(ms), detail or '', c.event_id or '' }
  end

  -- One audit entry in the same step: the caller's fields from ARGV[from] on, then what this script knows better.
  function C.audit(key, A, from, c, ms, before, after)
    if #A < from then return '' end
    local kv = {}
    for i = from, #A do kv[#kv + 1] = A[i] end
    if before then kv[#kv + 1] = 'before'; kv[#kv + 1] = before end
    if after then kv[#kv + 1] = 'after'; kv[#kv + 1] = after end
    kv[#kv + 1] = 'epoch'; kv[#kv + 1] = int(c.ep)
    kv[#kv + 1] = 'ms'; kv[#kv + 1] = int(ms)
    return redis.call('XADD', key, '*', unpack(kv))
  end

  built = C
  return C
end
