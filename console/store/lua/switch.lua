-- switch: an operator or a guard moves the active side.
-- ARGV 1 target (blue|green|previous) 2 expected epoch ('any'; 0 = "I saw no authority"; epoch@revision: and the
--      run of an upgrade is still at that revision) 3 mode (drain|now|finish)
--      4 drain_ms 5 switch id 6 by 7 why 8 resume (0|1) 9 hold_ms 10 require healthy (0|1)
--      11 who acts (operator|guard|agent) 12 what for ('' go_back take_over hand_over) 13 the trigger ('' for none) 14.. audit fields
-- codes: SWITCHED DRAINING NOOP RESUMED CONFLICT HALTED NO_PREVIOUS BADTARGET UNHEALTHY NEEDS_REASON
-- The detail of RESUMED is what was allowed before.
-- A resume accepts the manifests that living instances run (see beat); the event and the audit entry say which, as `accepts`.
-- A repeated switch id is the same switch. The reply is C.state plus {epoch before, plain key before, audit id}.
local function switch(K, A)
  local C, ms, c = control(), now_ms(), load(K)
  local target, mode, sid, by, why, resume = A[1], A[3], A[5], A[6], A[7], A[8] == '1'
  local expected, revision = string.match(A[2], '^([^@]*)@?(.*)$')
  local text, wrong = plain(K)
  local seen, before = c.ep, text
  c.src, c.aim, c.side = A[11], A[12], target
  c.cause = A[13] ~= '' and { A[13] } or nil
  local function reply(code, detail, changed)
    local r, id = C.state(K, c, ms, code, detail), ''
    if code == 'RESUMED' then id = C.audit(K, K[8], A, 14, c, ms, detail, C.ALLOWED[0])
    elseif changed then
      local after = c.ph == 'DRAIN' and 'draining' or c.act
      id = C.audit(K, K[8], A, 14, c, ms, before or (wrong and 'a ' .. wrong), after)
    end
    r[15], r[16], r[17] = int(seen), before or wrong or '', id
    return r
  end

  if not c.new and sid ~= '' and c.sid == sid then
    if mode == 'finish' then c.hold = 0 end   -- every plain agent has read the key again: the dead time may end now
    C.drain(K, c, ms)
    return reply(c.ph == 'DRAIN' and 'DRAINING' or c.ph == 'HALT' and 'HALTED' or 'SWITCHED', 'again')
  end
  if mode == 'finish' then return reply('CONFLICT', 'another switch came between') end
  if revision ~= '' then   -- whoever aborts a run writes that down first: from then on its switch is none
    local run = redis.call('HGET', beside(K, 'upgrades'), 'current')
    if not run or string.match(run, '^(%d+)\n') ~= revision then return reply('CONFLICT', 'the run was changed meanwhile') end
  end
  if c.new then
    if expected ~= '0' and expected ~= 'any' then return reply('CONFLICT', 'the store has no authority') end
    if text == 'halted' and not resume then return reply('HALTED', 'plain key') end
    if target ~= 'previous' and not SLOTS[target] then return reply('BADTARGET', target) end
    if text and SLOTS[text] then C.activate(K, c, ms, text, 'adopted', 'outside', 'plain key was there first')
    elseif target == 'previous' then return reply('NO_PREVIOUS') end
  else
    C.sweep(K, c, ms)
    C.drain(K, c, ms)
    if not wrong then C.adopt(K, c, ms) end   -- before the comparison: whoever's view is older than the hand-written key is told so
    if expected ~= 'any' and tonumber(expected) ~= c.ep then return reply('CONFLICT') end
  end
  if target == 'previous' then
    target = c.prev
    if target == '' or target == c.act then return reply('NO_PREVIOUS') end
  end
  if not SLOTS[target] then return reply('BADTARGET', target) end
  if resume and why == '' then return reply('NEEDS_REASON') end
  if c.ph == 'HALT' and not c.new and not resume then return reply('HALTED') end
  if A[10] == '1' then
    local no = C.unhealthy(K, c, ms, target)
    if no then return reply('UNHEALTHY', no) end
  end
  if c.ph == 'RUN' and c.act == target and not wrong then
    if resume and c.lvl > 0 then
      local allowed, froze, at = C.ALLOWED[c.lvl] or '', C.frozen(K)
      c.lvl, c.sid = 0, sid
      c.ep, c.gen = math.max(c.ep + 1, ms), c.gen + 1   -- the side keeps its tenure and its counters
      local lifted = { 'lifted_by', froze or '', 'lifted_ms', at or '', 'lifted_side', c.act }
      local accepted = C.accept(K, c, ms)
      if accepted ~= '' then lifted[7], lifted[8] = 'accepts', accepted end
      C.event(K, c, ms, 'resumed', by, why, lifted)
      if #A > 14 then   -- the audit tells of what it lifted, whatever the caller took it for
        for i = 14, #A, 2 do if A[i] == 'what' then A[i + 1] = 'allowed' end end
        for i = 1, #lifted do A[#A + 1] = lifted[i] end
      end
      return reply('RESUMED', allowed, true)
    end
    return reply('NOOP')
  end

  c.sid, c.rb = sid, '0'
  if resume then
    c.lvl = 0
    C.begin_anew(K, c)
  end
  local extra = { 'sid', sid }
  local accepted = resume and C.accept(K, c, ms) or ''
  if accepted ~= '' then
    extra[3], extra[4] = 'accepts', accepted
    if #A > 14 then A[#A + 1] = 'accepts'; A[#A + 1] = accepted end
  end
  if c.new and text then extra[#extra + 1] = 'outside'; extra[#extra + 1] = text end
  local hold = tonumber(A[9])
  if mode == 'drain' and not c.new and (hold > 0 or redis.call('ZCARD', K[3]) > 0) then
    if c.act ~= '' then c.prev = c.act end
    c.ep, c.gen = math.max(c.ep + 1, ms), c.gen + 1
    c.ph, c.to, c.act = 'DRAIN', target, ''
    c.hold, c.dl = hold > 0 and ms + hold or 0, ms + math.max(hold, tonumber(A[4]))
    if wrong then redis.call('DEL', K[5]); extra[#extra + 1] = 'replaced'; extra[#extra + 1] = wrong end
    redis.call('SET', K[5], 'draining')
    extra[#extra + 1] = 'dl'; extra[#extra + 1] = int(c.dl)
    C.event(K, c, ms, 'drain', by, why, extra)
    return reply('DRAINING', '', true)
  end
  C.activate(K, c, ms, target, 'switched', by, why, extra)
  return reply('SWITCHED', '', true)
end
