-- state: an agent hands its state over through the store: the active side keeps it in pieces named by their content, and the
-- side that acts next takes it. A side that is not active, or no longer, changes nothing of what the active one kept.
-- KEYS 1..7 as everywhere, 8 the list (hash) 9 the pieces (hash: name -> compressed text) 10 the use (hash: name -> the newest state it is in)
-- ARGV 1 act (keep|take|put|prune) 2 instance, or who 3 slot 4 epoch
--   keep, put: 5 the number of the newest action that the state knows of 6 name of the whole 7 names of its pieces, 22 characters each
--      8 how many states are kept 9 the most bytes of all pieces 10 the record's rest (free text) 11.. name, piece, name, piece …
--   take: 5 number of the state that the caller saw ('' for the newest)      prune: 5 numbers, parted by blanks
--   put is an operator's restore: only while halted, whatever slot. keep is refused while a state of the other side, or one that was
--   put back, not older than 300 s, was taken over by nobody: on top of it, it would hide what is to be handed over.
-- The list's fields: n (newest number), o (oldest), b (bytes of all pieces), p (put back last), s:N record, h:N names of its pieces, t:N who took it.
--   s:N  root ms slot instance epoch action rest      t:N  instance slot epoch ms        (lines parted by \n)
-- replies {code, number, server ms, detail, record, who took it}
--   KEPT AGAIN MISSING (detail: the names) UNTAKEN (detail: whose) NOT_ACTIVE STALE FULL NOINIT BADARG TAKEN BEFORE NONE PRUNED NOT_HALTED
local NAME, TAKEN_WITHIN = 22, 300000

local function in_batches(list, act)   -- a command takes some thousand arguments at once, no more
  for i = 1, #list, 1000 do act({ unpack(list, i, math.min(i + 999, #list)) }) end
end

local function state(K, A)
  local ms, c, act, slot = now_ms(), load(K), A[1], A[3]
  local v = redis.call('HMGET', K[8], 'n', 'o', 'b')
  local n, oldest, bytes = tonumber(v[1] or 0), tonumber(v[2] or 1), tonumber(v[3] or 0)
  local function reply(code, number, detail, record, taken)
    return { code, int(number or n), int(ms), detail or '', record or '', taken or '' }
  end
  local function names(number)
    local all, list = redis.call('HGET', K[8], 'h:' .. int(number)) or '', {}
    for i = 1, #all, NAME do list[#list + 1] = string.sub(all, i, i + NAME - 1) end
    return list
  end
  local function drop(number)   -- one state, and the pieces that no newer one has
    local gone = {}
    in_batches(names(number), function(some)
      local used = redis.call('HMGET', K[10], unpack(some))
      for i, name in ipairs(some) do if used[i] == int(number) then gone[#gone + 1] = name end end
    end)
    for _, name in ipairs(gone) do
      bytes = bytes - redis.call('HSTRLEN', K[9], name)
      redis.call('HDEL', K[9], name)
      redis.call('HDEL', K[10], name)
    end
    redis.call('HDEL', K[8], 's:' .. int(number), 'h:' .. int(number), 't:' .. int(number))
  end
  local function save()
    while oldest < n and redis.call('HEXISTS', K[8], 's:' .. int(oldest)) == 0 do oldest = oldest + 1 end
    redis.call('HSET', K[8], 'n', int(n), 'o', int(oldest), 'b', int(math.max(0, bytes)))
  end

  if act == 'prune' then
    local before = bytes
    for number in string.gmatch(A[5], '%d+') do
      if tonumber(number) < n then drop(tonumber(number)) end   -- the newest is never dropped: it may be all there is of the agent
    end
    save()
    return reply('PRUNED', n, int(before - bytes))
  end

  if c.new then return reply('NOINIT') end
  local mine = c.act
  if c.ph ~= 'RUN' then mine = c.prev end   -- whoever acted last may still tell what it knew
  if act == 'put' then
    if c.ph ~= 'HALT' then return reply('NOT_HALTED', n, c.act) end
  elseif slot ~= mine or (act == 'take' and c.ph ~= 'RUN') then
    return reply('NOT_ACTIVE', n, c.ph == 'RUN' and c.act or c.ph)
  elseif (tonumber(A[4]) or 0) < c.ten or tonumber(A[4]) > c.ep then
    return reply('STALE', n, int(c.ep))
  end

  if act == 'take' then
    local number = A[5] == '' and n or tonumber(A[5])
    local record = number and redis.call('HGET', K[8], 's:' .. int(number))
    if not record then return reply('NONE', number) end
    local hashes, taken = redis.call('HGET', K[8], 'h:' .. int(number)) or '', redis.call('HGET', K[8], 't:' .. int(number))
    if taken and string.match(taken, '^[^\n]*') ~= A[2] then return reply('BEFORE', number, hashes, record, taken) end
    if not taken then
      taken = table.concat({ A[2], slot, A[4], int(ms) }, '\n')
      redis.call('HSET', K[8], 't:' .. int(number), taken)
    end
    return reply('TAKEN', number, hashes, record, taken)
  end

  local action, root = tonumber(A[5]), A[6]
  if (act ~= 'keep' and act ~= 'put') or not action or #A[7] % NAME ~= 0 or #A[7] == 0 or string.find(A[2] .. root, '%c') then
    return reply('BADARG')
  end
  local record = table.concat({ root, int(ms), slot, A[2], A[4], int(math.min(action, c.an)), A[10] }, '\n')
  local last = redis.call('HGET', K[8], 's:' .. int(n))
  if act == 'keep' and last then   -- the same again, from the same tenure: it is as new as now, and nothing travels
    local known, at, whose, epoch = string.match(last, '^([^\n]*)\n([^\n]*)\n([^\n]*)\n[^\n]*\n([^\n]*)')
    local age = ms - (tonumber(at) or 0)
    local other = whose ~= slot or redis.call('HGET', K[8], 'p') == int(n)
    if other and age >= 0 and age <= TAKEN_WITHIN and redis.call('HEXISTS', K[8], 't:' .. int(n)) == 0 then
      return reply('UNTAKEN', n, whose)
    end
    if known == root and (tonumber(epoch) or 0) >= c.ten then
      redis.call('HSET', K[8], 's:' .. int(n), record)
      return reply('AGAIN')
    end
  end
  local sent, more = {}, 0
  for i = 11, #A - 1, 2 do sent[A[i]] = A[i + 1] end
  local list, missing = {}, {}
  for i = 1, #A[7], NAME do list[#list + 1] = string.sub(A[7], i, i + NAME - 1) end
  local whole = redis.call('HLEN', K[9]) == redis.call('HLEN', K[10])   -- else somebody took pieces away: each is asked for
  local fresh = {}
  in_batches(list, function(some)
    local used = redis.call('HMGET', K[10], unpack(some))
    for i, name in ipairs(some) do
      if not used[i] or (not whole and redis.call('HEXISTS', K[9], name) == 0) then
        if not sent[name] then missing[#missing + 1] = name
        elseif not fresh[name] then fresh[name] = true; more = more + #sent[name] end
      end
    end
  end)
  if #missing > 0 then return reply('MISSING', n, table.concat(missing)) end
  local most = tonumber(A[9])
  if more > most then return reply('FULL', n, int(more)) end
  while bytes + more > most and oldest < n do drop(oldest); oldest = oldest + 1 end
  if bytes + more > most then
    save()
    return reply('FULL', n, int(bytes + more))
  end
  n = n + 1
  for name in pairs(fresh) do redis.call('HSET', K[9], name, sent[name]) end
  in_batches(list, function(some)
    local use = {}
    for i, name in ipairs(some) do use[2 * i - 1], use[2 * i] = name, int(n) end
    redis.call('HSET', K[10], unpack(use))
  end)
  bytes = bytes + more
  redis.call('HSET', K[8], 's:' .. int(n), record, 'h:' .. int(n), A[7])
  if act == 'put' then redis.call('HSET', K[8], 'p', int(n)) end
  local keep = math.max(1, tonumber(A[8]) or 20)
  while n - oldest + 1 > keep do drop(oldest); oldest = oldest + 1 end
  save()
  return reply('KEPT')
end
