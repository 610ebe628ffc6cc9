-- settle: how a claim ended. Allowed in any epoch and phase: the old side must be able to report.
-- ARGV 1 key 2 claim id 3 outcome (ok|fail|abort|unknown) 4 retention_ms (0 for ever) 5 pnl (millionths) 6 instance
--      7 fingerprint 8 critical trigger ('' or its name) 9 the claim's epoch 10 result (free text)
-- replies {code, epoch, what a trip-wire did ('' rollback halt)}: SETTLED RELEASED DOUBT ALREADY LATE NOINIT BADARG
local OUTCOMES = { ok = true, fail = true, abort = true, unknown = true }

-- A result for a claim that is no longer ours: loud, recorded, and the sign of a double spend if the venue did execute it.
local function late(K, A, c, ms)
  local C, key, cid, outcome = control(), A[1], A[2], A[3]
  local done = redis.call('GET', K[8])
  if done and string.match(done, '^[^\n]*') == cid then return { 'ALREADY', int(c.ep), '' } end
  if outcome == 'abort' then return { 'LATE', int(c.ep), '' } end   -- it never left: nothing to be loud about
  c.an = c.an + 1
  append(K, c, table.concat({ 'late', int(c.an), int(ms), key, cid, A[6], '', A[9], outcome, A[5], A[10] }, '\n'))
  redis.call('HSET', K[1], 'an', int(c.an), 'ah', c.ah)
  redis.call('HINCRBY', K[1], 'x_late', 1)
  if outcome ~= 'ok' then return { 'LATE', int(c.ep), '' } end
  if not done and not redis.call('HGET', K[2], key) then   -- it was taken for not executed, and nobody acted on that yet
    put(K, table.concat({ cid, A[6], '', A[9], '0', int(ms), 'ok', A[7], '0', '', A[10] }, '\n'), A[4])
    return { 'LATE', int(c.ep), '' }
  end
  return { 'LATE', int(c.ep), C.trip(K, c, ms, 'double spend of ' .. key) }
end

local function settle(K, A)
  local v = redis.call('HMGET', K[1], 'ep', 'ph', 'ten', 'an', 'ah', 'c_ok', 'c_fail', 'c_streak', 'c_pnl', 'c_amt',
    'cur', 'b_day', 'b_amt', 't_loss', 't_streak')
  if not v[1] then return { 'NOINIT', '0', '' } end
  local key, cid, outcome, pnl = A[1], A[2], A[3], tonumber(A[5])
  if not OUTCOMES[outcome] or not pnl or pnl % 1 ~= 0 or pnl > MAX or pnl < -MAX or not tonumber(A[9]) then
    return { 'BADARG', v[1], '' }
  end
  local ms = now_ms()
  local raw = redis.call('HGET', K[2], key)
  local held, inst, slot, ep, at, _, state, fp, amount, currency, dir
  if raw then held, inst, slot, ep, at, _, state, fp, amount, currency, dir = string.match(raw, OPEN) end
  if held ~= cid then return late(K, A, load(K), ms) end
  local running = tonumber(ep) >= tonumber(v[3])   -- trip-wires count the running tenure alone

  if outcome == 'unknown' then
    local C, c, did = control(), load(K), ''
    if state ~= 'D' then C.doubt(K, c, ms, key, raw, A[10] == '' and 'unknown' or A[10]) end
    if c.ph == 'RUN' and running then
      local why = A[8] ~= '' and A[8] or C.tripped(K)
      if why then did = C.trip(K, c, ms, why .. ' by ' .. A[6]) end
    end
    C.drain(K, c, ms)
    return { 'DOUBT', int(c.ep), did }
  end

  local now, c, why = int(ms), { ah = v[5] or '' }, nil
  local set = { 'an', int((v[4] or 0) + 1), 'ah', '' }
  append(K, c, table.concat({ 'settle', set[2], now, key, cid, A[6], slot, ep, outcome, A[5], currency, A[10] }, '\n'))
  set[4] = c.ah
  redis.call('HDEL', K[2], key)
  if state == 'C' then redis.call('ZREM', K[3], key) end
  if outcome == 'abort' then
    if v[11] == currency and dir ~= 'reduce' and amount ~= '0' then   -- never sent: the amount is given back
      if running then set[#set + 1] = 'c_amt'; set[#set + 1] = int(math.max(0, v[10] - amount)) end
      if v[12] == int(math.floor(at / 86400000)) then
        set[#set + 1] = 'b_amt'; set[#set + 1] = int(math.max(0, v[13] - amount))
      end
    end
  else
    put(K, table.concat({ cid, inst, slot, ep, at, now, outcome, fp, amount, currency, A[10] }, '\n'), A[4])
    if running then
      if outcome == 'ok' then
        set[5], set[6], set[7], set[8] = 'c_ok', int(v[6] + 1), 'c_streak', '0'
      else
        local streak = v[8] + 1
        set[5], set[6], set[7], set[8] = 'c_fail', int(v[7] + 1), 'c_streak', int(streak)
        if v[15] and streak >= tonumber(v[15]) then why = 'streak ' .. int(streak) end
      end
      if pnl ~= 0 and v[11] == currency then
        local sum = math.max(-MAX, math.min(MAX, v[9] + pnl))
        set[9], set[10] = 'c_pnl', int(sum)
        if v[14] and sum <= -v[14] then why = 'loss ' .. int(sum) end
      end
      if A[8] ~= '' then why = A[8] end
    end
  end
  redis.call('HSET', K[1], unpack(set))
  local did, epoch = '', v[1]
  if why or v[2] == 'DRAIN' then
    local C, all = control(), load(K)
    if why then did = C.trip(K, all, ms, why .. ' by ' .. A[6]) end
    C.drain(K, all, ms)
    epoch = int(all.ep)
  end
  return { outcome == 'abort' and 'RELEASED' or 'SETTLED', epoch, did }
end
