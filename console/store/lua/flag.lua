-- flag: compare-and-set of one flag, with its audit entry and a control event that makes agents look.
-- KEYS 1..7 as everywhere, 8 audit, 9 the flag. On Cluster a plain flag lives in another slot: then first `set` with the
-- flag's key alone (KEYS 1), after it `note` with KEYS 1..8.
-- ARGV 1 step (both|set|note) 2 name 3 expected kind (absent|text|any) 4 expected text 5 write (set|del) 6 value
--      7 before kind and 8 before text (note only) 9.. audit fields
-- replies {SET|CONFLICT|WRONGTYPE, kind of what was there (absent|text|type), that text, server ms, audit id}
local function flag(K, A)
  local ms, kind, was = now_ms(), A[7], A[8]
  if A[1] ~= 'note' then
    local key = A[1] == 'set' and K[1] or K[9]
    local v = redis.pcall('GET', key)
    if type(v) == 'table' then return { 'WRONGTYPE', 'type', redis.call('TYPE', key).ok, int(ms), '' } end
    kind, was = v and 'text' or 'absent', v or ''
    if A[3] ~= 'any' and (A[3] ~= kind or (kind == 'text' and was ~= A[4])) then
      return { 'CONFLICT', kind, was, int(ms), '' }
    end
    if A[5] == 'del' then redis.call('DEL', key) else redis.call('SET', key, A[6]) end
  end
  local id = ''
  if A[1] ~= 'set' then
    -- Which flags were set, so that they are known without a walk through the store; a hint, and one of another type is none.
    if A[5] == 'del' then redis.pcall('SREM', beside(K, 'flags'), A[2]) else redis.pcall('SADD', beside(K, 'flags'), A[2]) end
    local C, c = control(), load(K)
    C.event(K, c, ms, 'flag', A[2], '', { 'write', A[5], 'value', A[6] })
    local before, after = nil, nil
    if kind == 'text' then before = was end
    if A[5] == 'set' then after = A[6] end
    id = C.audit(K, K[8], A, 9, c, ms, before, after)
  end
  return { 'SET', kind, was, int(ms), id }
end
