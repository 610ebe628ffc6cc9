-- limits: caps and trip-wires. They may be set before there is an authority: they are in force as soon as there is one.
-- ARGV 1 by 2 why 3 number of fields 4.. name, value ('' takes it away), then audit fields
-- codes: OK NOINIT (set all the same)
local LIMITS = { cur = true, cap_open = true, cap_amt = true, cap_day = true, t_loss = true, t_streak = true, t_doubt = true,
  hb = true }
local function limits(K, A)
  local C, ms, c = control(), now_ms(), load(K)
  local extra, last = {}, 3 + 2 * tonumber(A[3])
  for i = 4, last, 2 do
    if not LIMITS[A[i]] then return redis.error_reply('ERR no such limit: ' .. A[i]) end
    if A[i + 1] == '' then redis.call('HDEL', K[1], A[i]) else redis.call('HSET', K[1], A[i], A[i + 1]) end
    extra[#extra + 1] = A[i]; extra[#extra + 1] = A[i + 1]
  end
  C.event(K, c, ms, 'limits', A[1], A[2], extra)
  C.audit(K, K[8], A, last + 1, c, ms)
  return C.state(K, c, ms, c.new and 'NOINIT' or 'OK')
end
