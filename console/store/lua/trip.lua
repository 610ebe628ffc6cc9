-- trip: a critical trigger outside a claim (an exception while deciding, a guard's evidence): roll back, or else halt.
-- ARGV 1 epoch of the evidence 2 why 3 by 4 the trigger ('' for none of a name) ; codes: ROLLBACK HALT STALE NOINIT
local function trip(K, A)
  local C, ms, c = control(), now_ms(), load(K)
  if c.new then return C.state(K, c, ms, 'NOINIT') end
  local ep = tonumber(A[1])
  if c.ph ~= 'RUN' or ep < c.ten or ep > c.ep then return C.state(K, c, ms, 'STALE') end
  c.cause = (A[4] or '') ~= '' and { A[4] } or nil
  local did = C.trip(K, c, ms, A[2] .. ' by ' .. A[3])
  return C.state(K, c, ms, did == 'rollback' and 'ROLLBACK' or 'HALT')
end
