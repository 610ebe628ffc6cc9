-- halt: stop more. Always wins, needs no epoch, is latched: only a switch that resumes, with a reason, takes it back.
-- ARGV 1 by 2 why 3 level (1 no new entries, 2 reduce only, 3 halt) 4 who acts (operator|guard|agent)
--      5 what for ('' or an aim) 6 the side that is meant ('' for none) 7.. audit fields
-- A key of another type than it must be is put aside (`…:damaged:ms`); the detail says which.
-- The detail of LEVEL is what was allowed before.
-- codes: HALTED, LEVEL (1 and 2), AGAIN (nothing less was in force), NOINIT (levels 1 and 2 on a store without authority)
local function halt(K, A)
  local C, ms = control(), now_ms()
  local broken = C.mend(K, ms)   -- whatever state the keys are in: this works
  local c = load(K)
  if broken ~= '' then
    C.rebuild(K, c, ms)
    C.recount(K, c)
  end
  c.src, c.aim, c.side = A[4], A[5], A[6]
  local level, text, wrong = tonumber(A[3]), plain(K)
  local seen, allowed, code = c.ep, C.ALLOWED[c.lvl] or '', nil
  if level < 3 and c.new then code = 'NOINIT'
  elseif not c.new and (c.ph == 'HALT' or c.lvl >= level) then code = 'AGAIN'
  elseif level < 3 then
    c.lvl, c.ep, c.gen, code = level, math.max(c.ep + 1, ms), c.gen + 1, 'LEVEL'
    C.event(K, c, ms, 'level', A[1], A[2])
  else
    C.halt(K, c, ms, A[1], A[2])
    code = 'HALTED'
  end
  local id = ''
  if code == 'HALTED' then id = C.audit(K, K[8], A, 7, c, ms, text or (wrong and 'a ' .. wrong), 'halted')
  elseif code == 'LEVEL' then id = C.audit(K, K[8], A, 7, c, ms, allowed, C.ALLOWED[level]) end
  local r = C.state(K, c, ms, code, code == 'LEVEL' and broken == '' and allowed or broken)
  r[15], r[16], r[17] = int(seen), text or wrong or '', id
  return r
end
