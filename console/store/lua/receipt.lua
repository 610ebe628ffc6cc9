-- receipt: an audit entry for what no script of ours changed (a snapshot taken, say), in the same chain as all others.
-- KEYS 1..7 as everywhere, 8 audit. ARGV name, value, …
-- replies {audit id}
local function receipt(K, A)
  local C, ms, c = control(), now_ms(), load(K)
  return { C.receipt(K, K[8], c, ms, A) }
end
