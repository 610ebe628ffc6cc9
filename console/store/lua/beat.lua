-- beat: heartbeat, acknowledgement of the epoch and housekeeping in one round trip; with an empty instance, only housekeeping.
-- ARGV 1 instance 2 epoch it acknowledges 3 highest epoch it ever saw 4 its other fields as the rest of a JSON object
--      5 leaving (0|1)
-- codes: OK NOINIT REGRESSED BADEPOCH
local function beat(K, A)
  local C, ms, c = control(), now_ms(), load(K)
  local inst, seen = A[1], tonumber(A[3])
  if c.new then
    -- A fenced agent that never saw an epoch takes over a plain deployment as it finds it. One that did see an epoch knows
    -- that the store lost its data: then nobody acts until an operator says so.
    local text = plain(K)
    if inst == '' or seen > 0 or not (text and SLOTS[text]) then return C.state(K, c, ms, 'NOINIT') end
    C.activate(K, c, ms, text, 'adopted', 'outside', 'plain key was there first')
  end
  if seen > c.ep then
    if seen > ms + 60000 then return C.state(K, c, ms, 'BADEPOCH') end
    local from = c.ep
    c.ep = seen
    C.halt(K, c, ms, inst, 'epoch regression ' .. int(from) .. ' < ' .. A[3])
    return C.state(K, c, ms, 'REGRESSED', int(from))
  end
  C.sweep(K, c, ms)
  C.adopt(K, c, ms)
  C.drain(K, c, ms)
  if c.ph == 'RUN' then
    local why = C.tripped(K)
    if why then C.trip(K, c, ms, why) end
  end
  if inst ~= '' then
    local old = redis.call('HGET', K[7], inst)
    if A[5] == '1' then
      redis.call('HDEL', K[7], inst)
      if old then C.event(K, c, ms, 'left', inst, '') end
    else
      redis.call('HSET', K[7], inst, '{"ms":' .. int(ms) .. ',"epoch":' .. A[2] .. ',' .. A[4])
      if not old or string.match(old, '"epoch":(%d+)') ~= A[2] then
        C.event(K, c, ms, 'ack', inst, '', { 'seen', A[2] })
      end
    end
  end
  return C.state(K, c, ms, 'OK')
end
