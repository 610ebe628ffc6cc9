-- settle: how a claim ended. Allowed in any epoch and phase: the old side must be able to report.
-- ARGV 1 key 2 claim id 3 outcome (ok|fail|abort|unknown) 4 retention_ms (0 for ever) 5 pnl (millionths) 6 instance
--      7 fingerprint 8 critical trigger ('' or its name) 9 the claim's epoch 10 its slot 11 its amount 12 its currency
--      13 its direction 14 result (free text) 15 to 18 the commitment that it named, as for claim
-- replies {code, epoch, what a trip-wire did ('' rollback halt), number of the newest action}:
--   SETTLED RELEASED DOUBT ALREADY LATE DAMAGED NOINIT BADARG
local OUTCOMES = { ok = true, fail = true, abort = true, unknown = true }

local function named(A)   -- what the report itself says of the commitment; nil where it names none
  return A[15] and A[15] ~= '' and table.concat({ A[15], A[16], A[17], A[18] }, '\n') or nil
end

-- A report for a claim that is no longer the caller's: somebody took it for not executed, or the store has lost it. Loud, recorded,
-- never without effect: a free key is used up (it was executed) or in doubt (nobody knows); a key that another claim has means that
-- it may have been executed twice.
local function late(K, A, c, ms)
  local C, key, cid, outcome = control(), A[1], A[2], A[3]
  local done = recorded(K)
  if done == nil then return { 'DAMAGED', int(c.ep), '', int(c.an) } end
  if done and string.match(done, '^[^\n]*') == cid then return { 'ALREADY', int(c.ep), '', int(c.an) } end
  if outcome == 'abort' then return { 'LATE', int(c.ep), '', int(c.an) } end   -- it never left: nothing to be loud about
  c.an = c.an + 1
  append(K, c, table.concat({ 'late', int(c.an), int(ms), key, cid, A[6], '', A[9], outcome, A[5], A[14] }, '\n'))
  redis.call('HSET', K[1], 'an', int(c.an), 'ah', c.ah)
  redis.call('HINCRBY', K[1], 'x_late', 1)
  redis.call('HINCRBY', K[1], 'c_late', 1)
  local did = ''
  if outcome == 'ok' then C.ended(K, c, ms, key, true, { slot = A[10], ep = A[9], by = A[6] }, named(A)) end
  C.event(K, c, ms, 'late', A[6], outcome .. ' of ' .. key)
  if outcome ~= 'fail' then
    if done or redis.call('HEXISTS', K[2], key) == 1 then
      c.cause = { 'double-spend' }
      did = C.trip(K, c, ms, (outcome == 'ok' and 'double spend of ' or 'perhaps a double spend of ') .. key .. ' by ' .. A[6])
    elseif outcome == 'ok' then
      put(K, table.concat({ cid, A[6], A[10], A[9], '0', int(ms), 'ok', A[7], A[11], A[12], A[14] }, '\n'), A[4])
    else
      C.open(K, c, key, { cid, A[6], A[10], A[9], int(ms), int(ms), C.doubtful(K, c, ms), A[7], A[11], A[12], A[13], '' })
      C.count_doubt(K, A[10], 1)
      C.mark_sent(K, key, A[4])   -- when it was sent nobody knows here
      if tonumber(A[9]) >= c.ten then redis.call('HINCRBY', K[1], 'c_doubt', 1) end
      local why = c.ph == 'RUN' and C.tripped(K, c)
      if why then did = C.trip(K, c, ms, why .. ' by ' .. A[6]) end
    end
  end
  return { 'LATE', int(c.ep), did, int(c.an) }
end

local function settle(K, A)
  local v = redis.pcall('HMGET', K[1], 'ep', 'ph', 'ten', 'an', 'ah', 'c_ok', 'c_fail', 'c_streak', 'c_pnl', 'c_amt',
    'cur', 'b_day', 'b_amt', 'd_day', 'd_amt', 't_loss', 't_streak', 'fn', 'c_doubt', 'on', 'nn')
  if v.err then return { 'DAMAGED', '0', '', '0' } end
  if not v[1] then return { 'NOINIT', '0', '', '0' } end
  local key, cid, outcome, pnl = A[1], A[2], A[3], A[5]
  if not OUTCOMES[outcome] or not is_money(pnl) or not is_money(A[11]) or not tonumber(A[9]) then
    return { 'BADARG', v[1], '', v[4] or '0' }
  end
  local ms = now_ms()
  local raw = redis.pcall('HGET', K[2], key)
  if type(raw) == 'table' then return { 'DAMAGED', v[1], '', v[4] or '0' } end
  local held, inst, slot, ep, at, _, state, fp, amount, currency, dir
  if raw then held, inst, slot, ep, at, _, state, fp, amount, currency, dir = string.match(raw, OPEN) end
  if raw and not held then return { 'DAMAGED', v[1], '', v[4] or '0' } end
  if held ~= cid then return late(K, A, load(K), ms) end
  local running = tonumber(ep) >= tonumber(v[3])   -- trip-wires count the running tenure alone

  if outcome == 'unknown' then
    local C, c, did = control(), load(K), ''
    if state == 'C' then C.doubt(K, c, ms, key, raw, A[14] == '' and 'unknown' or A[14]) end
    if c.ph == 'RUN' and running then
      local why = A[8] ~= '' and A[8] or C.tripped(K, c)
      if A[8] ~= '' then c.cause = { A[8] } end
      if why then did = C.trip(K, c, ms, why .. ' by ' .. A[6]) end
    end
    C.drain(K, c, ms)
    return { 'DOUBT', int(c.ep), did, int(c.an) }
  end

  local now, c, why, lost = int(ms), { ah = v[5] or '' }, nil, nil
  local set = { 'an', int((v[4] or 0) + 1), 'ah', '' }
  append(K, c, table.concat({ 'settle', set[2], now, key, cid, A[6], slot, ep, outcome, pnl, currency, A[14] }, '\n'))
  set[4] = c.ah
  redis.call('HDEL', K[2], key)
  if v[20] then set[5], set[6] = 'on', int(v[20] - 1) end
  if state == 'C' then
    redis.call('ZREM', K[3], key)
    if v[18] then set[#set + 1] = 'fn'; set[#set + 1] = int(v[18] - 1) end
  elseif running then   -- the doubt is over, and no longer counts towards a trip
    set[#set + 1] = 'c_doubt'; set[#set + 1] = int(math.max(0, (v[19] or 0) - 1))
  end
  if state ~= 'C' then control().count_doubt(K, slot, -1) end
  if outcome == 'abort' then
    if v[11] == currency and dir ~= 'reduce' and amount ~= '0' then   -- never sent: the amount is given back
      if running then set[#set + 1] = 'c_amt'; set[#set + 1] = no_less(sum(v[10], less(amount))) end
      local _, sum_field, spent, there = budget(v, 12, int(math.floor(at / 86400000)))
      if there then set[#set + 1] = sum_field; set[#set + 1] = no_less(sum(spent, less(amount))) end
    end
  else
    put(K, table.concat({ cid, inst, slot, ep, at, now, outcome, fp, amount, currency, A[14] }, '\n'), A[4])
    if running then
      local streak = outcome == 'ok' and 0 or v[8] + 1
      local n = #set
      set[n + 1], set[n + 2] = outcome == 'ok' and 'c_ok' or 'c_fail', int((outcome == 'ok' and v[6] or v[7]) + 1)
      set[n + 3], set[n + 4] = 'c_streak', int(streak)
      if v[17] and streak >= tonumber(v[17]) then why = 'streak ' .. int(streak) end
      if pnl ~= '0' and v[11] == currency then
        local total = sum(v[9], pnl)
        set[n + 5], set[n + 6] = 'c_pnl', total
        if v[16] and not over(total, less(v[16])) then why, lost = 'loss', total end
      end
      if A[8] ~= '' then why, lost = A[8], nil end
    end
  end
  redis.call('HSET', K[1], unpack(set))
  local did, epoch, newest = '', v[1], set[2]
  if named(A) or v[21] and v[21] ~= '0' then
    local all = load(K)
    control().ended(K, all, ms, key, outcome == 'ok', { slot = slot, ep = ep, by = A[6] }, named(A))
    newest = int(all.an)
  end
  if why or v[2] == 'DRAIN' then
    local C, all = control(), load(K)
    if why then all.cause = { A[8] ~= '' and A[8] or 'streak' } end
    if lost then why = C.lost_money(all, lost, currency) end
    if why then did = C.trip(K, all, ms, why .. ' by ' .. A[6]) end
    C.drain(K, all, ms)
    epoch, newest = int(all.ep), int(all.an)
  end
  return { outcome == 'abort' and 'RELEASED' or 'SETTLED', epoch, did, newest }
end
