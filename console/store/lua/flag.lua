-- flag: compare-and-set of one flag, with its audit entry and a control event that makes agents look.
-- KEYS 1..7 as everywhere, 8 audit, 9 the flag.
-- ARGV 1 name 2 expected kind (absent|text|any) 3 expected text 4 write (set|del) 5 value 6.. audit fields
-- replies {SET|CONFLICT|WRONGTYPE, kind of what was there (absent|text|type), that text, server ms, audit id}
local function flag(K, A)
  local ms, v = now_ms(), redis.pcall('GET', K[9])
  if type(v) == 'table' then return { 'WRONGTYPE', 'type', redis.call('TYPE', K[9]).ok, int(ms), '' } end
  local kind, was = v and 'text' or 'absent', v or ''
  if A[2] ~= 'any' and (A[2] ~= kind or (kind == 'text' and was ~= A[3])) then
    return { 'CONFLICT', kind, was, int(ms), '' }
  end
  if A[4] == 'del' then redis.call('DEL', K[9]) else redis.call('SET', K[9], A[5]) end
  -- Which flags were set, so that they are known without a walk through the store; a hint, and one of another type is none.
  if A[4] == 'del' then redis.pcall('SREM', beside(K, 'flags'), A[1]) else redis.pcall('SADD', beside(K, 'flags'), A[1]) end
  local C, c = control(), load(K)
  C.event(K, c, ms, 'flag', A[1], '', { 'write', A[4], 'value', A[5] })
  local before, after = nil, nil
  if kind == 'text' then before = was end
  if A[4] == 'set' then after = A[5] end
  return { 'SET', kind, was, int(ms), C.audit(K, K[8], A, 6, c, ms, before, after) }
end
