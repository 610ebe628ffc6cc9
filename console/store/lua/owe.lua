-- owe: what is owed changes by itself, or by hand: it was found at the venue, it ended there, somebody gives it to another.
-- ARGV 1 by 2 slot ('' for an operator) 3 version 4 epoch 5 how many (1 to 100), then for each: op id value; then audit fields
-- ops: open (must be new) put (new, or changed) close give; value: what it is, as for claim; why it is over; `pin policy` as lines
-- replies {code, epoch, revision, which id it stopped at}: DONE NOINIT BADARG OWED NOT_OWED NAMED. All are carried out, or none.
local OPS = { open = true, put = true, close = true, give = true }
local POLICIES = { ['old closes'] = true, ['new adopts'] = true, ['run off'] = true }
local function owe(K, A)
  local C, c, ms, owed = control(), load(K), now_ms(), beside(K, 'owed')
  local by, slot, version, ep, count = A[1], A[2], A[3], A[4], tonumber(A[5])
  local function reply(code, id) return { code, int(c.ep), int(c.wr), id or '' } end
  if c.new then return reply('NOINIT') end
  if not count or count < 1 or count > 100 or #A < 5 + 3 * count or string.find(by .. slot .. version .. ep, '%c') then return reply('BADARG') end
  local seen = {}
  for i = 6, 3 + 3 * count, 3 do
    local op, id, value = A[i], A[i + 1], A[i + 2]
    if not OPS[op] or id == '' or string.find(id, '%c') or seen[id] then return reply('BADARG', id) end
    seen[id] = true
    local raw = redis.call('HGET', owed, id)
    if op == 'open' or op == 'put' then
      local _, amount = string.match(value, BODY)
      if not SLOTS[slot] or not amount or not is_money(amount) or negative(amount) then return reply('BADARG', id) end
      if op == 'open' and raw then return reply('OWED', id) end
    else
      if not raw then return reply('NOT_OWED', id) end
      local pin, policy = string.match(value, '^(%l*)\n([%l ]+)$')
      if op == 'give' and not ((pin == '' or SLOTS[pin]) and POLICIES[policy]) then return reply('BADARG', id) end
    end
    -- What a claim in flight names is that claim's to end; but that it is over is a fact, whoever reports it.
    if op ~= 'close' and redis.call('HGET', beside(K, 'named'), '=' .. id) then return reply('NAMED', id) end
  end
  for i = 6, 3 + 3 * count, 3 do
    local op, id, value = A[i], A[i + 1], A[i + 2]
    if op == 'close' then C.paid(K, c, ms, id, by, value)
    elseif op == 'give' then
      local pin, policy = string.match(value, '^(%l*)\n([%l ]+)$')
      local raw = redis.call('HGET', owed, id)
      C.give(K, c, ms, id, raw, pin, policy)
    else C.owe(K, c, ms, id, { slot = slot, version = version, ep = ep }, value) end
  end
  C.audit(K, K[8], A, 6 + 3 * count, c, ms)
  return reply('DONE')
end
