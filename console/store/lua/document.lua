-- document: one operator changes a document that others read (an experiment's definition): compare-and-set of its revision,
-- with its audit entry and a control event that makes agents look.
-- KEYS 1..7 as everywhere, 8 audit, 9 a hash of documents
-- ARGV 1 name 2 expected revision (0 = there is none), and what gates were asked about, where they were:
--      revision[/events/commitments/doubts] 3 the document without its revision 4 by 5 why 6 before 7 after
--      8 the most there may be 9.. audit fields. Stored as "revision\n" .. document.
-- replies {DONE | CONFLICT | FULL, revision, server ms, audit id}; a CONFLICT with what gates were asked about has the part of
-- it that is otherwise now in place of the audit id
local function document(K, A)
  local C, ms, c = control(), now_ms(), load(K)
  local expected, basis = string.match(A[2], '^([^/]*)/?(.*)$')
  local raw = redis.call('HGET', K[9], A[1])
  local rev = raw and tonumber(string.match(raw, '^(%d+)\n')) or 0
  if raw and rev == 0 or rev ~= tonumber(expected) then return { 'CONFLICT', int(rev), int(ms), '' } end
  if basis ~= '' then
    C.sweep(K, c, ms)
    local no = C.otherwise(K, c, basis)
    if no then return { 'CONFLICT', int(rev), int(ms), no } end
  end
  if not raw and redis.call('HLEN', K[9]) >= tonumber(A[8]) then return { 'FULL', '0', int(ms), '' } end
  redis.call('HSET', K[9], A[1], int(rev + 1) .. '\n' .. A[3])
  C.event(K, c, ms, 'document', A[4], A[5], { 'name', A[1], 'rev', int(rev + 1) })
  local before, after = A[6], A[7]
  return { 'DONE', int(rev + 1), int(ms), C.audit(K, K[8], A, 9, c, ms, before ~= '' and before or nil, after) }
end
