-- lease: for guard work that must not be done twice, like notifications; never for who may act.
-- KEYS 1 a hash of its own. ARGV 1 holder 2 ttl_ms 3 release (0|1)
-- replies {held (1|0), holder, token, ms left}; the token rises with every new term, after an expiry too.
local function lease(K, A)
  local ms, v = now_ms(), redis.call('HMGET', K[1], 'holder', 'token', 'until')
  local token, till = tonumber(v[2] or 0), tonumber(v[3] or 0)
  if v[1] and v[1] ~= '' and v[1] ~= A[1] and till > ms then return { '0', v[1], int(token), int(till - ms) } end
  if A[3] == '1' then
    if v[1] == A[1] then redis.call('HSET', K[1], 'holder', '', 'until', '0') end
    return { '0', '', int(token), '0' }
  end
  if v[1] ~= A[1] or till <= ms then token = token + 1 end
  redis.call('HSET', K[1], 'holder', A[1], 'token', int(token), 'until', int(ms + tonumber(A[2])))
  return { '1', A[1], int(token), A[2] }
end
