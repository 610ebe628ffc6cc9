"""The items of the checklist, in the order in which they are shown; and which acts each may forbid by default.

An item that forbids nothing by default is on the checklist all the same; `[gates] require` makes it forbid.
"""

from __future__ import annotations

from typing import Final

from console.domain.gates import at_venue, later, manifests, one_rule, owing, rehearsed, sides, watching
from console.domain.gates.gate import MOVES, RAISES, Act, CheckPhase, Item

_BEFORE, _DURING, _AFTER, _WARM = CheckPhase.BEFORE, CheckPhase.DURING, CheckPhase.AFTER, CheckPhase.WARM
_ON_A_SIDE: Final = MOVES | {Act.LIFT, Act.CANARY_START, Act.CANARY_UP}
_TAKES: Final = MOVES | {Act.CANARY_START, Act.CANARY_UP}

ITEMS: Final = (
    Item("heartbeats", "the side that would act is there and ready", _BEFORE, sides.heartbeats, _ON_A_SIDE),
    Item("canary", "no canary of this version was taken back, and none goes on", _BEFORE, sides.canary, _ON_A_SIDE),
    Item("manifest", "it is what it declared, and so is the state that it takes", _BEFORE, manifests.manifest, _TAKES),
    Item("shadow", "at least 50 shadow rounds of this version", _BEFORE, sides.shadow, frozenset({Act.SWITCH})),
    Item("pnl", "its shadow would have earned about as much", _BEFORE, sides.pnl),
    Item("rehearsal", "it decides again as was recorded", _BEFORE, rehearsed.rehearsal),
    Item("doubts", "no action whose outcome nobody knows", _BEFORE, owing.doubts, RAISES),
    Item("rounds", "no open round that would be cut", _BEFORE, owing.rounds, MOVES),
    Item("superset", "it watches all that it will own", _BEFORE, owing.superset, MOVES),
    Item("escrows", "every active escrow listed with its time-out", _BEFORE, one_rule.escrows),
    Item("payee", "who is paid at an escrow's time-out is said, and by whom", _BEFORE, one_rule.payee, RAISES),
    Item("disputes", "the one rule: no dispute", _BEFORE, one_rule.disputes, RAISES),
    Item("auto-release", "the one rule: no auto-release within 30 minutes", _BEFORE, one_rule.auto_release, RAISES),
    Item("volatility", "the one rule: no high volatility", _BEFORE, one_rule.volatility, RAISES),
    Item("maintenance", "the one rule: no maintenance of the venue", _BEFORE, one_rule.maintenance, RAISES),
    Item("guard", "a guard is present", _BEFORE, watching.guard, RAISES),
    Item("triggers", "no trigger sees harm there", _BEFORE, watching.triggers, RAISES),
    Item("armed", "rollback triggers armed, with facts to go by", _BEFORE, watching.armed),
    Item("snapshot", "a snapshot, parsed back, at most 300 s old", _BEFORE, watching.snapshot),
    Item("venue-key", "the API key answers 200", _BEFORE, at_venue.key, RAISES),
    Item("venue-balance", "the balance is fresh and agrees with the books", _BEFORE, at_venue.balance, RAISES),
    Item("venue-positions", "every position is somebody's, from a live source", _BEFORE, at_venue.positions, RAISES),
    Item("venue-escrows", "every escrow is at the venue as our books have it", _BEFORE, at_venue.escrows, RAISES),
    Item("venue-monitor", "the venue's order monitor runs", _BEFORE, at_venue.monitor, RAISES),
    Item("limits", "rate-limit counters noted", _BEFORE, owing.limits),
    Item("plan-read", "somebody else has read the plan and knows the way back", _BEFORE, None),
    Item("standby", "the new version is up in standby and syncing", _DURING, sides.heartbeats),
    Item("health", "its health address answers 200, all connected", _DURING, later.health, MOVES),
    Item("restored", "the snapshot was restored to it and verified", _DURING, None),
    Item("switched", "the active side switched, and all have seen it", _DURING, later.switched),
    Item("first-ten", "its first ten decisions were reviewed", _DURING, None),
    Item("collecting", "the guard collects its rounds", _DURING, later.collecting),
    Item("no-trigger", "no trigger fired", _AFTER, later.no_trigger),
    Item("watched", "all that was watched is still watched", _AFTER, later.watched),
    Item("pnl-band", "PnL within one standard deviation of the baseline", _AFTER, later.band),
    Item("log-grows", "the decision log grows", _AFTER, later.growing),
    Item("kept-warm", "the old version stands by for 24 hours", _WARM, later.kept_warm),
)
BY_ID: Final = {item.id: item for item in ITEMS}
