-- resolve: the end of a claim in doubt, on evidence.
-- ARGV 1 key 2 claim id 3 verdict (executed|not_executed) 4 proof that the holder can't send any more, for not_executed:
--        self (the holder says so) gone (its process or its network access is proven gone) silent (no heartbeat for wake_ms)
--        burned (the venue will refuse this key from now on)
--      5 by 6 quarantine_ms (longer than the venue's visibility delay) 7 wake_ms 8 retention_ms 9 pnl (millionths)
--      10 result (free text, for executed) 11 evidence (free text)
-- replies {code, epoch, detail}: RESOLVED ALREADY NOT_IN_DOUBT NEEDS_EVIDENCE HOLDER_ALIVE TOO_EARLY NOINIT BADARG
local function resolve(K, A)
  local c, ms = load(K), now_ms()
  if c.new then return { 'NOINIT', '0', '' } end
  local key, cid, verdict, proof, by, pnl = A[1], A[2], A[3], A[4], A[5], tonumber(A[9])
  local ep0 = int(c.ep)
  if not pnl or pnl % 1 ~= 0 or pnl > MAX or pnl < -MAX or string.find(by, '%c') then return { 'BADARG', ep0, '' } end
  if verdict ~= 'executed' and verdict ~= 'not_executed' then return { 'BADARG', ep0, 'verdict' } end
  if A[11] == '' then return { 'NEEDS_EVIDENCE', ep0, '' } end
  local raw = redis.call('HGET', K[2], key)
  local held, inst, slot, ep, at, deadline, state, fp, amount, currency, dir
  if raw then held, inst, slot, ep, at, deadline, state, fp, amount, currency, dir = string.match(raw, OPEN) end
  if held ~= cid then
    local done = redis.call('GET', K[8])
    if done and string.match(done, '^[^\n]*') == cid then return { 'ALREADY', ep0, '' } end
    return { 'NOT_IN_DOUBT', ep0, '' }
  end
  if state == 'C' and tonumber(deadline) <= ms then
    control().doubt(K, c, ms, key, raw, 'lease')
    state = 'D'
  end
  if state ~= 'D' then return { 'NOT_IN_DOUBT', ep0, 'its lease is running' } end
  if verdict == 'not_executed' then
    if proof == 'self' then
      if by ~= inst then return { 'HOLDER_ALIVE', ep0, 'held by ' .. inst } end
    elseif proof == 'silent' then
      -- One whose heartbeat is gone from the list has been silent at least since its lease ended.
      local last = string.match(redis.call('HGET', K[7], inst) or '', '"ms":(%d+)') or deadline
      if ms - last < math.max(1, tonumber(A[7])) then return { 'HOLDER_ALIVE', ep0, int(ms - last) } end
    elseif proof ~= 'gone' and proof ~= 'burned' then
      return { 'HOLDER_ALIVE', ep0, 'no proof given' }
    end
    local left = deadline + tonumber(A[6]) - ms
    if proof ~= 'burned' and left > 0 then return { 'TOO_EARLY', ep0, int(left) } end
  end

  c.an = c.an + 1
  append(K, c, table.concat({ 'resolve', int(c.an), int(ms), key, cid, inst, slot, ep, verdict, A[9], currency, proof, by,
    A[11] }, '\n'))
  local set = { 'an', int(c.an), 'ah', c.ah }
  redis.call('HDEL', K[2], key)
  local sums = redis.call('HMGET', K[1], 'cur', 'c_amt', 'c_pnl', 'b_day', 'b_amt', 'c_doubt')
  local running, ours = tonumber(ep) >= c.ten, sums[1] == currency
  if verdict == 'executed' then
    put(K, table.concat({ cid, inst, slot, ep, at, int(ms), 'ok', fp, amount, currency, A[10] }, '\n'), A[8])
    if running and ours and pnl ~= 0 then
      set[#set + 1] = 'c_pnl'; set[#set + 1] = int(math.max(-MAX, math.min(MAX, sums[3] + pnl)))
    end
  elseif ours and dir ~= 'reduce' and amount ~= '0' then
    if running then set[#set + 1] = 'c_amt'; set[#set + 1] = int(math.max(0, sums[2] - amount)) end
    if sums[4] == int(math.floor(at / 86400000)) then
      set[#set + 1] = 'b_amt'; set[#set + 1] = int(math.max(0, sums[5] - amount))
    end
  end
  if running then set[#set + 1] = 'c_doubt'; set[#set + 1] = int(math.max(0, sums[6] - 1)) end
  redis.call('HSET', K[1], unpack(set))
  if c.ph == 'RUN' and running then
    local why = control().tripped(K)
    if why then control().trip(K, c, ms, why .. ' by ' .. by) end
  end
  return { 'RESOLVED', int(c.ep), '' }
end
