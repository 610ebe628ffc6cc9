-- book: the one process that shares a canary's rounds out writes down what it gave and what came back. A stake is booked
-- before it is played, and only while the recorded step is the one it was made for: capital in force is capital recorded.
-- KEYS 1 the run (hash) 2 the book (hash) 3 the track (list of points)
-- ARGV 1 act (take|give|turn|end|report) 2 holder (take) or token 3 run 4 revision 5 round (give, end) 6 its record
--      7 ledger; for report: 5 report 6 point ('' for none) 7 points kept 8 what the process wants back after a restart
-- replies {OK | TAKEN | MOVED, token, server ms}: TAKEN is that another process has taken over, MOVED that the step is another
local function book(K, A)
  local ms = now_ms()
  if A[1] == 'take' then
    local token = redis.call('HINCRBY', K[2], 'token', 1)
    redis.call('HSET', K[2], 'holder', A[2], 'taken', int(ms))
    return { 'OK', int(token), int(ms) }
  end
  local token = redis.call('HGET', K[2], 'token') or ''
  if token ~= A[2] then return { 'TAKEN', token, int(ms) } end
  if A[1] == 'give' or A[1] == 'turn' then
    local v = redis.call('HMGET', K[1], 'run', 'rev')
    if v[1] ~= A[3] or v[2] ~= A[4] then return { 'MOVED', token, int(ms) } end
    if A[1] == 'give' then redis.call('HSET', K[2], 'o:' .. A[5], A[6], 'ledger', A[7])
    else redis.call('HSET', K[2], 'ledger', A[7]) end
  elseif A[1] == 'end' then
    redis.call('HDEL', K[2], 'o:' .. A[5])
    redis.call('HSET', K[2], 'ledger', A[7])
  else
    redis.call('HSET', K[2], 'report', A[5], 'at', int(ms), 'state', A[8])
    redis.pcall('HINCRBY', K[2], 'told', 1)   -- two reports of one moment are two; only helps who reads
    if A[6] ~= '' then
      redis.call('RPUSH', K[3], A[6])
      redis.call('LTRIM', K[3], -tonumber(A[7]), -1)
    end
  end
  return { 'OK', token, int(ms) }
end
