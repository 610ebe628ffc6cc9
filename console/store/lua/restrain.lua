-- restrain: a guard stops new entries, or everything, on evidence about a tenure that must still be running. Unlike halt,
-- which always wins, this is refused when the evidence is old: a guard that was frozen and wakes up changes nothing.
-- ARGV 1 epoch of the evidence 2 the side it speaks of 3 level (1 no new entries, 2 reduce only, 3 halt) 4 by 5 why 6 what for (freeze|stop|go_back) 7 the side that is
--      to act next ('' for none) 8 the trigger ('' for none of a name)
-- codes: HALTED, LEVEL (1 and 2), AGAIN (as much is stopped already), STALE, NOINIT
local function restrain(K, A)
  local C, ms, c = control(), now_ms(), load(K)
  if c.new then return C.state(K, c, ms, 'NOINIT') end
  c.src, c.aim, c.side = 'guard', A[6], A[7]
  c.cause = (A[8] or '') ~= '' and { A[8] } or nil
  local ep, level = tonumber(A[1]), tonumber(A[3])
  if c.ph ~= 'RUN' or c.act ~= A[2] or ep < c.ten or ep > c.ep then return C.state(K, c, ms, 'STALE') end
  if c.lvl >= level then return C.state(K, c, ms, 'AGAIN') end
  if level < 3 then
    c.lvl, c.ep, c.gen = level, math.max(c.ep + 1, ms), c.gen + 1
    C.event(K, c, ms, 'level', A[4], A[5])
    return C.state(K, c, ms, 'LEVEL')
  end
  C.halt(K, c, ms, A[4], A[5])
  return C.state(K, c, ms, 'HALTED')
end
