-- canary: an operator, a guard or the agent itself changes a canary's run: one step up at most, and only from the step and
-- revision that the caller saw; down and out always. Nothing rises while new risk is stopped, whatever the caller thinks; nor
-- by an agent's own step, unless somebody has asked the gates within 5 s (`…canary-gates`), and nobody was refused.
-- KEYS 1..7 as everywhere, 8 audit, 9 the run (hash)
-- ARGV 1 act (start|step|lower|pause|resume|abort|finish) 2 run 3 expected step 4 expected revision ('any': abort and start only), with the
--      revision of an upgrade's run that starts it, which has to be so still, and what gates were asked about:
--      revision[@run's revision][/events/commitments/doubts]
--      5 by 6 why 7 target step 8 its share 9 its loss budget 10 the plan's digest
--      11 slot 12 plan 13 currency 14 capital (start only) 15 who acts (operator|guard|agent) 16.. audit fields
-- codes: DONE AGAIN CONFLICT NONE OVER ACTIVE PAUSED CLOSED BADSTEP NOT_LAST
-- replies {code, run, state, step, revision, share, loss budget, since ms, server ms, detail, audit id}
local function canary(K, A)
  local C, ms, c = control(), now_ms(), load(K)
  c.src = A[15]
  local act, run, by, why, target = A[1], A[2], A[5], A[6], tonumber(A[7])
  local expected, upgrade, basis = string.match(A[4], '^([^@/]*)@?([^/]*)/?(.*)$')
  local v = redis.call('HMGET', K[9], 'run', 'state', 'step', 'rev', 'share', 'budget', 'since', 'dig', 'slot', 'steps')
  local r = { run = v[1] or '', state = v[2] or '', step = tonumber(v[3] or 0), rev = tonumber(v[4] or 0),
    share = v[5] or '0', budget = v[6] or '', since = tonumber(v[7] or 0), dig = v[8] or '', slot = v[9] or '',
    steps = tonumber(v[10] or 0) }
  local function words() return r.state .. ', step ' .. int(r.step + 1) .. ', share ' .. r.share end
  local before = r.state ~= '' and words() or nil
  local function reply(code, detail, id)
    return { code, r.run, r.state, int(r.step), int(r.rev), r.share, r.budget, int(r.since), int(ms), detail or '', id or '' }
  end
  local function closed()   -- why no risk may rise now
    local text = plain(K)
    if c.ph ~= 'RUN' then return c.ph == 'HALT' and 'halted' or 'a switch drains' end
    if c.lvl > 0 then return 'new risk is stopped' end
    if text ~= c.act then return 'the plain key says otherwise' end
    if c.act == r.slot then return r.slot .. ' is active itself' end
  end
  local function unasked()   -- why nothing rises by itself; a report is: run, ms, closed gates, gates that hold it
    local many = redis.pcall('HLEN', beside(K, 'canary-gates'))
    if type(many) == 'table' or many > 100 then return 'who asks the gates is not known' end
    local reports, asked = redis.pcall('HVALS', beside(K, 'canary-gates')), false
    for i = 1, reports.err and 0 or #reports do
      local of, at, shut = string.match(reports[i], '^([^\n]*)\n(%d+)\n(.*)$')
      if of == r.run and math.abs(ms - tonumber(at)) <= 5000 then
        if shut ~= '\n' then return 'a gate is closed' end
        asked = true
      end
    end
    return not asked and 'nobody asks the gates' or nil
  end
  local function done(moved, extra)
    if moved then r.rev, r.since = r.rev + 1, ms end
    redis.call('HSET', K[9], 'run', r.run, 'state', r.state, 'step', int(r.step), 'rev', int(r.rev), 'share', r.share,
      'budget', r.budget, 'since', int(r.since), 'dig', r.dig, 'slot', r.slot, 'steps', int(r.steps), 'by', by, 'why', why, 'src', A[15],
      unpack(extra or {}))
    C.event(K, c, ms, 'canary', by, why, { 'run', r.run, 'did', act, 'state', r.state, 'step', int(r.step),
      'rev', int(r.rev), 'share', r.share })
    return reply('DONE', '', C.audit(K, K[8], A, 16, c, ms, before, words()))
  end

  if upgrade ~= '' then   -- whoever aborts a run writes that down first: from then on its canary is none
    local at = redis.call('HGET', beside(K, 'upgrades'), 'current')
    if not at or string.match(at, '^(%d+)\n') ~= upgrade then return reply('CONFLICT', 'upgrade') end
  end
  if basis ~= '' then
    C.sweep(K, c, ms)
    local no = C.otherwise(K, c, basis)
    if no then return reply('CONFLICT', no) end
  end
  local live = r.state == 'RUNNING' or r.state == 'PAUSED'
  if act == 'start' then
    if live then return reply(r.run == run and 'AGAIN' or 'ACTIVE') end
    local text = plain(K)
    if c.new and text and SLOTS[text] then C.activate(K, c, ms, text, 'adopted', 'outside', 'plain key was there first') end
    r.slot = A[11]
    local no = closed()
    if no then return reply('CLOSED', no) end
    r.run, r.state, r.step, r.share, r.budget, r.dig, r.steps = run, 'RUNNING', 0, A[8], A[9], A[10], target
    return done(true, { 'plan', A[12], 'cur', A[13], 'cap', A[14], 'began', int(ms) })
  end
  if r.state == '' then return reply('NONE') end
  if r.run ~= run then return reply('CONFLICT') end
  if act == 'abort' and r.state == 'ABORTED' then return reply('AGAIN') end
  local waits = r.state == 'DONE' and c.act ~= r.slot   -- all of the capital is its, and its side does not act yet: there is a way back
  if not live and not (act == 'abort' and waits) then return reply('OVER') end
  if not (act == 'abort' and expected == 'any') and (tonumber(A[3]) ~= r.step or tonumber(expected) ~= r.rev) then
    return reply('CONFLICT')
  end
  if act == 'abort' then
    r.state, r.step, r.share, r.budget = 'ABORTED', 0, '0', ''
    return done(true)
  end
  if act == 'pause' or act == 'resume' then   -- no capital moves: the revision stays, and with it the step's budget
    local want = act == 'pause' and 'PAUSED' or 'RUNNING'
    if r.state == want then return reply('AGAIN') end
    r.state = want
    return done(false)
  end
  if A[10] ~= r.dig then return reply('CONFLICT', 'another plan') end
  if act == 'lower' then
    if target < 0 or target >= r.step then return reply('BADSTEP') end
    r.step, r.share, r.budget = target, A[8], A[9]
    return done(true)
  end
  if r.state == 'PAUSED' then return reply('PAUSED') end
  local no = closed()
  if no then return reply('CLOSED', no) end
  if act == 'finish' then
    if r.step + 1 ~= r.steps then return reply('NOT_LAST') end
    r.state = 'DONE'
    return done(false)
  end
  if target ~= r.step + 1 or target >= r.steps then return reply('BADSTEP') end
  if A[15] == 'agent' then   -- no operator has asked the gates in this moment: somebody else has to have, lately
    no = unasked()
    if no then return reply('CLOSED', no) end
  end
  r.step, r.share, r.budget = target, A[8], A[9]
  return done(true)
end
