-- claim: asks to act, and records the intent before anything is sent.
-- ARGV 1 slot 2 epoch 3 key 4 claim id 5 instance 6 fingerprint 7 lease_ms 8 amount (millionths) 9 currency
--      10 direction (enter|adjust|reduce) 11 highest epoch the client ever saw 12 the lineage it knows ('' for none)
--      13 the number of the newest action it has seen 14 action (free text); where it names a commitment: 15 open|change|close
--      16 its id 17 the caller's version 18 what it is after that: kind policy due_ms flow amount currency detail, as lines
--      19 for how many ms after its first sending the venue surely knows the key, less a margin ('' where nobody says)
-- replies {code, epoch, a, b, c}: GRANTED/DUP/STALE_HELD deadline, now, number of the newest action; DONE record;
--   BUSY holder, deadline; IN_DOUBT holder, deadline; MISMATCH; DRAINING target; NOT_ACTIVE active; DIVERGED text;
--   OWED slot (there is one of that id); NOT_OWED id; NAMED key (another claim names it); NOT_OWNER whose it is;
--   PAST_WINDOW when it was sent first, now: in doubt from now on, not to be sent; LIMIT which; LEVEL rank; STALE (look again: another epoch, or the store is not as the client remembers it);
--   DAMAGED which key; HALTED NOINIT REGRESSED BADEPOCH BADARG
local RANK = { enter = 1, adjust = 2, reduce = 3 }   -- the level from which a direction is refused
local function claim(K, A)
  local v = redis.pcall('HMGET', K[1], 'ep', 'act', 'ph', 'lvl', 'an', 'ah', 'c_claim', 'cur', 'cap_open', 'cap_amt',
    'cap_day', 'c_amt', 'b_day', 'b_amt', 'd_day', 'd_amt', 'on', 'fn', 'lin', 'rb_id')
  if v.err then return { 'DAMAGED', '0', 'ctl' } end
  if not v[1] then return { 'NOINIT', '0' } end
  local idem, cid, inst, fp, dir = A[3], A[4], A[5], A[6], A[10]
  local ep, phase, amount, rank = tonumber(v[1]), v[3], A[8], RANK[dir]
  local seen, window, head = tonumber(A[11]), A[19] or '', table.concat({ cid, inst, A[1], v[1], A[9], fp, idem })
  if string.find(head, '%c') or not rank or not is_money(amount) or negative(amount) or not seen or not tonumber(A[13])
    or string.find(window, '%D') then
    return { 'BADARG', v[1] }
  end
  if not ep then return { 'DAMAGED', '0', 'ctl' } end
  local done = recorded(K)
  if done == nil then return { 'DAMAGED', v[1], 'done' } end
  if done then
    if string.match(done, RECORDED) ~= fp then return { 'MISMATCH', v[1] } end
    return { 'DONE', v[1], done }
  end
  local ms = now_ms()
  if seen > ep then   -- the store is behind what this client has seen
    if seen > ms + 60000 then return { 'BADEPOCH', v[1] } end   -- the caller's bug or a clock far off: changes nothing
    local c = load(K)
    c.ep, c.src = seen, 'store'
    control().halt(K, c, ms, inst, 'epoch regression ' .. v[1] .. ' < ' .. A[11])
    return { 'REGRESSED', int(c.ep) }
  end
  if phase == 'DRAIN' then
    local c = load(K)
    control().drain(K, c, ms)
    if c.ph == 'RUN' then return claim(K, A) end
  end
  local open = redis.pcall('HLEN', K[2])
  -- Also while it is put right after damage, some of it with every beat: a key that is not in it yet may have been sent.
  if type(open) == 'table' or v[17] and open ~= tonumber(v[17]) or v[20] then return { 'DAMAGED', v[1], 'open' } end
  local raw = redis.call('HGET', K[2], idem)
  if raw then
    local held, holder, _, _, _, deadline, state, print = string.match(raw, OPEN)
    if not held or not tonumber(deadline) then return { 'DAMAGED', v[1], 'open' } end
    if print ~= fp then return { 'MISMATCH', v[1] } end
    if state == 'C' and tonumber(deadline) <= ms then
      control().doubt(K, load(K), ms, idem, raw, 'lease')
      state = 'D'
    end
    if state ~= 'C' then return { 'IN_DOUBT', v[1], holder, deadline } end
    if held ~= cid then return { 'BUSY', v[1], holder, deadline } end
    -- Our own call again. It never releases the key: a first copy that was delayed may arrive while the second is executed.
    return { phase == 'RUN' and A[2] == v[1] and 'DUP' or 'STALE_HELD', v[1], deadline, int(ms), v[5] or '0' }
  end
  if phase == 'HALT' then return { 'HALTED', v[1] } end
  if phase == 'DRAIN' then return { 'DRAINING', v[1], redis.call('HGET', K[1], 'to') } end
  -- What is pinned to a side is brought to its end by it, active or not: it may reduce that, and nothing else.
  local names = A[15] and A[15] ~= ''
  local closes = names and dir == 'reduce' and A[15] ~= 'open' and control().pin(K, A[16]) == A[1]
  if v[2] ~= A[1] and not closes then return { 'NOT_ACTIVE', v[1], v[2] } end
  if A[2] ~= v[1] then return { 'STALE', v[1] } end
  if A[12] ~= '' and A[12] ~= v[19] then return { 'STALE', v[1], 'lineage' } end   -- beat tells what that means
  if tonumber(v[5] or 0) < tonumber(A[13]) then return { 'STALE', v[1], 'actions' } end
  local text, wrong = plain(K)
  if text ~= v[2] then return { 'DIVERGED', v[1], text or (wrong and 'a ' .. wrong) or '' } end
  if rank <= tonumber(v[4]) then return { 'LEVEL', v[1], v[4] } end
  if names then
    local no, what = control().unnameable(K, A, v[2])
    if no then return { no, v[1], what } end
  end

  -- A key that was perhaps sent before, and is free again: the venue may have forgotten it meanwhile.
  local mark, late, first = window ~= '' and redis.pcall('GET', beside(K, 'sent:' .. idem)), false, nil
  if mark then
    late, first = control().outlived(K, mark, ms, tonumber(window), tonumber(A[7]))
    if late == nil then return { 'DAMAGED', v[1], 'sent' } end
  end

  local set = { 'an', '', 'ah', '', 'c_claim', int(tonumber(v[7]) + 1), 'on', int(open + 1) }
  if rank < 3 then   -- caps never stand in the way of reducing risk
    if v[9] and open >= tonumber(v[9]) then return { 'LIMIT', v[1], 'open' } end
    if v[8] and amount ~= '0' then
      if v[8] == A[9] then
        local day = int(math.floor(ms / 86400000))
        local day_field, sum_field, spent = budget(v, 13, day)
        local tenure, daily = sum(v[12], amount), sum(spent, amount)
        if v[10] and over(tenure, v[10]) then return { 'LIMIT', v[1], 'amount' } end
        if v[11] and over(daily, v[11]) then return { 'LIMIT', v[1], 'day' } end
        set[9], set[10], set[11], set[12], set[13], set[14] = 'c_amt', tenure, day_field, day, sum_field, daily
      elseif v[10] or v[11] then
        return { 'LIMIT', v[1], 'currency' }
      end
    end
  end
  local now, deadline = int(ms), int(late and ms or ms + tonumber(A[7]))
  local c = { ah = v[6] or '' }
  -- The lease first: on a key of another type nothing has been written yet.
  local added = redis.pcall('ZADD', K[3], deadline, idem)
  if type(added) == 'table' then return string.find(added.err, 'WRONGTYPE') and { 'DAMAGED', v[1], 'infl' } or added end
  set[#set + 1] = 'fn'
  set[#set + 1] = int(v[18] and v[18] + 1 or redis.call('ZCARD', K[3]))
  set[2] = int((v[5] or 0) + 1)
  append(K, c, table.concat({ 'claim', set[2], now, idem, cid, inst, A[1], v[1], fp, amount, A[9], dir, A[14] }, '\n'))
  set[4] = c.ah
  redis.call('HSET', K[2], idem, table.concat({ cid, inst, A[1], v[1], now, deadline, 'C', fp, amount, A[9], dir, A[14] }, '\n'))
  redis.call('HSET', K[1], unpack(set))
  if names then control().name(K, A) end
  if late then
    control().too_late(K, load(K), ms, idem, cid, mark)
    return { 'PAST_WINDOW', v[1], first, now }
  end
  return { 'GRANTED', v[1], deadline, now, set[2] }
end
