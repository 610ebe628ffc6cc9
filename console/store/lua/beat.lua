-- beat: heartbeat, acknowledgement of the epoch and housekeeping in one round trip; with an empty instance, only housekeeping.
-- Whoever calls brings what it remembers of this store: one that is behind it went back in time, and halts.
-- ARGV 1 instance 2 epoch it acknowledges 3 highest epoch it ever saw 4 its other fields as the rest of a JSON object
--      5 leaving (0|1) 6 lineage 7 number, 8 stream id and 9 hash of the newest action it saw 10 to 12 likewise of the newest
--      control event ('' and 0 where it remembers nothing) 13 its host's clock (`boot id:ms since boot`, '' for none)
--      14 its manifest: lines, the first its hash, at most 4096 bytes ('' for none declared). A version is held to the first that an
--      instance of it declared; another one stops new entries, with the event `level`, until an operator resumes
-- The first beat of an instance, and its first of an epoch, is the event `ack`, up to 16 instances; beyond, heartbeats alone tell.
-- codes: OK NOINIT REGRESSED DAMAGED BADEPOCH
-- replies C.state and {lineage, lineages before it, number, stream id, hash of the newest action, of the newest event, steady ms,
-- late reports so far}

local function numbered(entry)   -- an entry's number in its chain
  for i = 1, #entry, 2 do
    if entry[i] == 'n' then return tonumber(entry[i + 1]) end
    if entry[i] == 'd' then return tonumber(string.match(entry[i + 1], '^%l+\n(%d+)')) end
  end
end

-- What is missing, in words, if the stream does not hold the entry that was seen; one that was archived can't be missed, but then the
-- oldest that is left has a higher number.
local function gone_back(key, what, newest, seen, id, hash)
  if newest < seen then return int(newest) .. ' ' .. what .. ' of ' .. int(seen) .. ' that were seen' end
  if id == '' then return end
  local here = redis.call('XRANGE', key, id, id)[1]
  if here then
    for i = 1, #here[2], 2 do if here[2][i] == 'h' and here[2][i + 1] == hash then return end end
    return what .. ' ' .. int(seen) .. ' is not the one that was seen'
  end
  local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
  local a, b = string.match(first and first[1] or '0-0', '^(%d+)-(%d+)$')
  local x, y = string.match(id, '^(%d+)-(%d+)$')
  local later = first and (tonumber(a) > tonumber(x) or a == x and tonumber(b) > tonumber(y))
  if later and (numbered(first[2]) or 0) > seen then return end
  return what .. ' ' .. int(seen) .. ' is missing'
end

-- A version is known from its first instance on, also when all of them have said goodbye; of more than 100 the oldest is forgotten.
local function introduce(K, rest, ms)
  local ok, o = pcall(cjson.decode, '{' .. rest)
  local name = ok and type(o) == 'table' and type(o.version) == 'string' and o.version or ''
  if name == '' then return end
  local key = beside(K, 'versions')
  if redis.pcall('HSET', key, name, int(ms) .. ' ' .. tostring(o.slot)) ~= 1 or redis.call('HLEN', key) <= 100 then return end
  local all, oldest, since = redis.call('HGETALL', key), nil, math.huge
  for i = 2, #all, 2 do
    local at = tonumber(string.match(all[i], '^%d+')) or 0
    if at < since then oldest, since = all[i - 1], at end
  end
  redis.call('HDEL', key, oldest)
end

-- What a version is held to. An instance of it that declares another manifest than that, or none any more, freezes new risk, once.
local MANIFESTS, MANIFEST_BYTES = 100, 4096
local MANIFESTS_TOLD = 8   -- others of one version until somebody resumes: one that is another each time must not raise the epoch for ever
local function forget_manifests(key)   -- of more than 100 versions the oldest
  local all, oldest, since, count = redis.call('HGETALL', key), nil, math.huge, 0
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 1) == '=' then
      local at = tonumber(string.match(all[i + 1], '^%d+')) or 0
      count = count + 1
      if at < since then oldest, since = string.sub(all[i], 2), at end
    end
  end
  if count > MANIFESTS then redis.call('HDEL', key, '=' .. oldest, '~' .. oldest) end
end

local function parts_of(text)   -- part -> its hash
  local parts = {}
  for name, hash in string.gmatch(text, '\n(%l+) ([%x-]+)') do parts[name] = hash end
  return parts
end

local function other_parts(before, after)   -- which parts are not the same, in words
  if after == '' then return 'it declares none any more' end
  if before == '' then return 'it declares one now' end
  local was, is, names = parts_of(before), parts_of(after), {}
  for _, name in ipairs({ 'code', 'model', 'prompt', 'tools', 'flags', 'state' }) do
    if was[name] ~= is[name] then names[#names + 1] = name end
  end
  return table.concat(names, ', ')
end

local function declare(K, C, c, ms, inst, rest, text, before)
  local mark = string.match(text, '^%x+') or ''
  if #mark ~= 64 or #text > MANIFEST_BYTES then mark, text = '', '' end
  local said = before and (string.match(before, '"manifest":"(%x*)"') or '')
  if mark == '' and said == '' then return mark end   -- never declared any, and was looked at when it came
  local ok, o = pcall(cjson.decode, '{' .. rest)
  local version = ok and type(o) == 'table' and type(o.version) == 'string' and o.version or ''
  if version == '' or #version > 480 or string.find(version, '%c') then return mark end
  local key, slot = beside(K, 'manifests'), SLOTS[o.slot] and o.slot or ''
  local held, other = unpack(redis.call('HMGET', key, '=' .. version, '~' .. version))
  if not held then
    if mark ~= '' then
      redis.call('HSET', key, '=' .. version, table.concat({ int(ms), slot, inst, '', text }, '\n'))
      forget_manifests(key)
    end
    return mark
  end
  local at, its_slot, its_inst, was, kept = string.match(held, MANIFEST)
  local is = string.match(held, MANIFEST_MARK) or 'damaged'   -- somebody wrote there: as good as another one
  was, kept = was or '', kept or ''
  if is == mark then
    if not before and kept ~= text then   -- the same, told anew: which schemas it reads, labels
      redis.call('HSET', key, '=' .. version, table.concat({ at, its_slot, its_inst, was, text }, '\n'))
    end
    return mark
  end
  if other and (said == mark or string.match(other, MANIFEST_MARK) == mark) then return mark end   -- told already
  if said == mark and string.find(was .. ' ', ' ' .. mark .. ' ', 1, true) then return mark end   -- it runs on beside what was accepted
  local told = other and tonumber(string.match(other, MANIFEST_WAS)) or 0
  if told >= MANIFESTS_TOLD then return mark end   -- frozen all the same, and not accepted with the others
  redis.call('HSET', key, '~' .. version, table.concat({ int(ms), slot, inst, int(told + 1), text }, '\n'))
  c.ep, c.gen = math.max(c.ep + 1, ms), c.gen + 1
  if c.ph ~= 'HALT' then c.lvl = math.max(c.lvl, 1) end
  c.src, c.aim, c.side, c.cause = 'agent', 'freeze', slot, { 'manifest' }
  local what = 'manifest of ' .. version .. ' changed: ' .. other_parts(kept, text)
  C.event(K, c, ms, 'level', inst, what, { 'version', version, 'manifest0', is, 'manifest', mark })
  c.src, c.aim, c.side, c.cause = 'store', nil, nil, nil
  return mark
end

-- Instances that fell silent long ago go, some are looked at with every call; what they leave behind goes on to be their version's.
-- Where there are a few, or they are of the active side, they stay: that it is silent must be seen.
local DEAD_MS, FEW, MANY, CROWDED_MS, LOOK = 3600000, 16, 512, 60000, 10
local function leave_behind(K, inst, raw)
  local key = beside(K, 'left')
  redis.call('HSET', key, inst, raw)
  if redis.call('HLEN', key) <= MANY then return end
  local _, some = unpack(redis.call('HSCAN', key, '0', 'COUNT', 50))
  local oldest, since = nil, math.huge
  for i = 1, #some, 2 do
    local at = tonumber(string.match(some[i + 1], '"st":(%d+)')) or 0
    if at < since then oldest, since = some[i], at end
  end
  if oldest then redis.call('HDEL', key, oldest) end
end
local function bury(K, C, c, ms)
  local count = redis.call('HLEN', K[7])
  if count <= FEW then return end
  local most, steady = count > MANY and CROWDED_MS or DEAD_MS, C.steady(c, ms)
  local cursor, some = unpack(redis.call('HSCAN', K[7], redis.call('HGET', K[1], 'icur') or '0', 'COUNT', LOOK))
  redis.call('HSET', K[1], 'icur', cursor)
  for i = 1, math.min(#some, 100), 2 do
    local ok, o = pcall(cjson.decode, some[i + 1])
    local st = ok and type(o) == 'table' and tonumber(o.st)
    if count > MANY and not st or st and steady - st > most and (count > MANY or o.slot ~= c.act) then
      if st and not string.find(some[i + 1], '"in_flight":0,"in_doubt":0', 1, true) then
        leave_behind(K, some[i], some[i + 1])
      end
      redis.call('HDEL', K[7], some[i])
    end
  end
end

-- For who reads in turns: who beat when, and who told something new when (the counts, which the claims tell too, aside); of the last minute.
local LATELY = 60000
local ACKS = 16   -- every event goes to every instance: of more than so many each would read what all the others have seen
local function told(raw) return (string.gsub(string.gsub(raw, '^{"ms":%d+,"st":%d+', ''), '"in_flight":%d+,"in_doubt":%d+', '', 1)) end
local function note(key, inst, ms)   -- only helps: no heartbeat fails for it
  redis.pcall('ZADD', key, int(ms), inst)
  redis.pcall('ZREMRANGEBYSCORE', key, '-inf', int(ms - LATELY))
end

local function beat(K, A)
  local C, ms = control(), now_ms()
  local broken = C.mend(K, ms)
  local c = load(K)
  local inst, seen, lineage = A[1], tonumber(A[3]), A[6]
  local by = inst ~= '' and inst or 'housekeeping'
  c.src = 'store'   -- what is changed here by itself; who did what is said where it is known
  local code, why = 'OK', ''
  local function reply()
    local ah, aid = newest(K[4])
    local lh, lid = newest(K[6])
    local r = C.state(K, c, ms, code, why)
    for _, x in ipairs({ c.lin, c.was, int(c.an), aid, ah, int(c.ln), lid, lh, int(C.steady(c, ms)), int(c.late) }) do r[#r + 1] = x end
    return r
  end
  if seen > c.ep and seen > ms + 60000 then code = 'BADEPOCH'; return reply() end
  if broken ~= '' then
    C.rebuild(K, c, ms)
    C.recount(K, c)
    c.ep = math.max(c.ep, seen)
    C.lost(K, c, lineage)
    code, why = 'DAMAGED', broken
    C.halt(K, c, ms, by, 'damage: ' .. broken)
  elseif c.new then
    if seen > 0 or lineage ~= '' then   -- the memory of an authority, and none here: nobody begins anew but an operator who knows it
      c.ep = seen
      C.lost(K, c, lineage)
      code, why = 'REGRESSED', 'no authority; epoch ' .. A[3] .. ' and ' .. A[7] .. ' actions were seen'
      C.halt(K, c, ms, by, 'the store went back: ' .. why)
    else   -- who never saw an epoch takes over a plain deployment as it finds it
      local text = plain(K)
      if inst == '' or not (text and SLOTS[text]) then code = 'NOINIT'; return reply() end
      C.activate(K, c, ms, text, 'adopted', 'outside', 'plain key was there first')
    end
  else
    if c.lin == '' then c.lin = redis.sha1hex(int(ms) .. c.lh .. A[4]); redis.call('HSET', K[1], 'lin', c.lin) end
    if seen > c.ep then why = 'epoch ' .. int(c.ep) .. ' < ' .. A[3]
    elseif lineage ~= '' and lineage ~= c.lin then
      if not string.find(c.was, lineage, 1, true) then why = 'another authority than the one that was seen' end
    elseif lineage ~= '' then
      why = gone_back(K[4], 'actions', c.an, tonumber(A[7]), A[8], A[9]) or
        gone_back(K[6], 'control events', c.ln, tonumber(A[10]), A[11], A[12]) or ''
    end
    if why ~= '' then
      code = 'REGRESSED'
      C.lost(K, c, lineage)
      if c.ph ~= 'HALT' or seen > c.ep then
        local text = seen > c.ep and 'epoch regression ' .. int(c.ep) .. ' < ' .. A[3] or 'the store went back: ' .. why
        c.ep = math.max(c.ep, seen)
        C.halt(K, c, ms, by, text)
      end
    else
      why = C.damage(K, c, ms)
      if why ~= '' then
        code = 'DAMAGED'
        C.lost(K, c, '')
        if c.ph ~= 'HALT' then C.halt(K, c, ms, by, 'damage: ' .. why) end
      end
    end
  end
  if c.mending then C.go_on(K, c, ms) end
  C.tick(K, c, ms, A[13])
  C.keep(K, c, ms)
  C.sweep(K, c, ms)
  C.adopt(K, c, ms)
  C.drain(K, c, ms)
  if c.ph == 'RUN' then
    local tripped = C.tripped(K, c)
    if tripped then C.trip(K, c, ms, tripped) end
  end
  bury(K, C, c, ms)
  if inst ~= '' then
    local old = redis.call('HGET', K[7], inst)
    if A[5] == '1' then
      if not string.find(A[4], '"in_flight":0,"in_doubt":0', 1, true) then   -- what it leaves behind goes on to be its version's
        leave_behind(K, inst, '{"st":' .. int(C.steady(c, ms)) .. ',' .. A[4])
      end
      redis.call('HDEL', K[7], inst)
      if old then C.event(K, c, ms, 'left', inst, '') end
    else
      local mark = declare(K, C, c, ms, inst, A[4], A[14] or '', old)
      local new = '{"ms":' .. int(ms) .. ',"st":' .. int(C.steady(c, ms)) .. ',"epoch":' .. A[2] .. ',' ..
        (mark ~= '' and '"manifest":"' .. mark .. '",' or '') .. A[4]
      redis.call('HSET', K[7], inst, new)
      note(beside(K, 'beats'), inst, ms)
      if not old or told(old) ~= told(new) then note(beside(K, 'changed'), inst, ms) end
      if not old then introduce(K, A[4], ms) end
      if redis.call('HLEN', K[7]) > 100 then   -- whoever looks for a healthy side looks at this one first
        local slot = string.match(A[4], '^"slot":"(%l+)",') or ''
        if SLOTS[slot] and string.find(A[4], '"ready":true', 1, true) then redis.call('HSET', K[1], 'hr_' .. slot, inst) end
      end
      if (not old or string.match(old, '"epoch":(%d+)') ~= A[2]) and redis.call('HLEN', K[7]) <= ACKS then
        C.event(K, c, ms, 'ack', inst, '', { 'seen', A[2] })
      end
    end
  end
  return reply()
end
