-- resolve: the end of a claim in doubt, on evidence.
-- ARGV 1 key 2 claim id 3 verdict (executed|not_executed) 4 proof that the holder can't send any more, for not_executed:
--        self (the very object that made the claim says so) gone (its process or its network access is gone, and no heartbeat says otherwise) silent (no heartbeat for wake_ms)
--        burned (the venue will refuse this key from now on)
--      5 by 6 quarantine_ms (longer than the venue's visibility delay) 7 wake_ms 8 retention_ms 9 pnl (millionths)
--      10 result (free text, for executed) 11 evidence (free text) 12 what the caller's own claim ids begin with
--      13 its host's clock (as for beat) 14 the steady ms, as a beat told it, at which the evidence began to be looked for ('' for now):
--      what was so before a wait was over says nothing of what came after. The waits are counted on the steady clock, to that moment.
-- A claim that came past the venue's window was never granted: not executed takes no proof and no wait, and its key is used up.
-- replies {code, epoch, detail}: RESOLVED (detail USED_UP, where the key is) ALREADY DAMAGED NOT_IN_DOUBT NEEDS_EVIDENCE HOLDER_ALIVE TOO_EARLY NOINIT BADARG
local function resolve(K, A)
  local C, c, ms = control(), load(K), now_ms()
  if c.new then return { 'NOINIT', '0', '' } end
  local key, cid, verdict, proof, by, pnl = A[1], A[2], A[3], A[4], A[5], A[9]
  local ep0 = int(c.ep)
  if not is_money(pnl) or string.find(by, '%c') then return { 'BADARG', ep0, '' } end
  if verdict ~= 'executed' and verdict ~= 'not_executed' then return { 'BADARG', ep0, 'verdict' } end
  if A[11] == '' then return { 'NEEDS_EVIDENCE', ep0, '' } end
  local raw = redis.call('HGET', K[2], key)
  local held, inst, slot, ep, at, deadline, state, fp, amount, currency, dir
  if raw then held, inst, slot, ep, at, deadline, state, fp, amount, currency, dir = string.match(raw, OPEN) end
  if held ~= cid then
    local done = recorded(K)
    if done == nil then return { 'DAMAGED', ep0, 'done' } end
    if done and string.match(done, '^[^\n]*') == cid then return { 'ALREADY', ep0, '' } end
    return { 'NOT_IN_DOUBT', ep0, '' }
  end
  if state == 'C' and tonumber(deadline) <= ms then
    C.doubt(K, c, ms, key, raw, 'lease')
    state = string.match(redis.call('HGET', K[2], key), OPEN_STATE)
  end
  if state == 'C' then return { 'NOT_IN_DOUBT', ep0, 'its lease is running' } end
  local _, _, _, refused = C.sent(K, key)
  local never = refused == cid   -- it came past the venue's window: nobody was told to send it, and nobody will be
  if verdict == 'not_executed' and not never then
    local now = C.tick(K, c, ms, A[13])
    local since = tonumber(string.sub(state, 2))
    if not since then   -- a doubt that an earlier release wrote down: its waits begin now
      since = now
      local f = { string.match(raw, OPEN) }
      f[7] = 'D' .. int(now)
      redis.call('HSET', K[2], key, table.concat(f, '\n'))
    end
    local looked = math.min(now, tonumber(A[14]) or now)
    local beaten = redis.call('HGET', K[7], inst)
    local last = tonumber(string.match(beaten or '', '"st":(%d+)') or since)
    if proof == 'self' then
      if #A[12] < 8 or string.sub(cid, 1, #A[12]) ~= A[12] then return { 'HOLDER_ALIVE', ep0, 'held by ' .. inst } end
    elseif proof == 'silent' then
      -- One whose heartbeat is gone from the list has been silent at least since its claim was in doubt.
      if looked - last < math.max(1, tonumber(A[7])) then return { 'HOLDER_ALIVE', ep0, int(now - last) } end
    elseif proof == 'gone' then
      local every = tonumber(string.match(beaten or '', '"every":(%d+)') or 500)
      if beaten and looked - last < 3 * every then return { 'HOLDER_ALIVE', ep0, 'a heartbeat of ' .. int(now - last) .. ' ms' } end
    elseif proof ~= 'burned' then
      return { 'HOLDER_ALIVE', ep0, 'no proof given' }
    end
    local left = since + tonumber(A[6]) - looked
    if proof ~= 'burned' and left > 0 then return { 'TOO_EARLY', ep0, int(math.max(0, left - (now - looked))) } end
  end

  c.an = c.an + 1
  append(K, c, table.concat({ 'resolve', int(c.an), int(ms), key, cid, inst, slot, ep, verdict, A[9], currency, proof, by,
    A[11] }, '\n'))
  local set = { 'an', int(c.an), 'ah', c.ah }
  redis.call('HDEL', K[2], key)
  C.count_doubt(K, slot, -1)
  if c.on then set[#set + 1] = 'on'; set[#set + 1] = int(c.on - 1) end
  C.mark_sent(K, key, A[8], at, tonumber(string.sub(state, 2)) or C.steady(c, ms),
    (tonumber(deadline) or 0) - (tonumber(at) or 0))
  local sums = redis.call('HMGET', K[1], 'cur', 'c_amt', 'c_pnl', 'b_day', 'b_amt', 'd_day', 'd_amt', 'c_doubt')
  local running, ours = tonumber(ep) >= c.ten, sums[1] == currency
  if verdict == 'executed' then
    put(K, table.concat({ cid, inst, slot, ep, at, int(ms), 'ok', fp, amount, currency, A[10] }, '\n'), A[8])
    if running and ours and pnl ~= '0' then
      set[#set + 1] = 'c_pnl'; set[#set + 1] = sum(sums[3], pnl)
    end
  else
    if never then put(K, table.concat({ cid, inst, slot, ep, at, int(ms), 'fail', fp, amount, currency, 'its key is past the window' }, '\n'), A[8]) end
    if ours and dir ~= 'reduce' and amount ~= '0' then
      if running then set[#set + 1] = 'c_amt'; set[#set + 1] = no_less(sum(sums[2], less(amount))) end
      local _, sum_field, spent, there = budget(sums, 4, int(math.floor(at / 86400000)))
      if there then set[#set + 1] = sum_field; set[#set + 1] = no_less(sum(spent, less(amount))) end
    end
  end
  if running then set[#set + 1] = 'c_doubt'; set[#set + 1] = int(math.max(0, sums[8] - 1)) end
  redis.call('HSET', K[1], unpack(set))
  C.ended(K, c, ms, key, verdict == 'executed', { slot = slot, ep = ep, by = by })
  if c.ph == 'RUN' and running then
    local why = C.tripped(K, c)
    if why then C.trip(K, c, ms, why .. ' by ' .. by) end
  end
  return { 'RESOLVED', int(c.ep), never and verdict == 'not_executed' and 'USED_UP' or '' }
end
