"""Scenarios by name. A name says what an operator would call the situation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from console.domain.fence.deployment import Deployment, Phase, Slot, read_active
from console.domain.operator.receipt import Change
from console.domain.seen.observation import LinkState, LogReading, Observation
from console.domain.state.flags import read_flag
from tests.scenarios import guarded, proving, unproven, upgrading
from tests.scenarios.hostile import hostile
from tests.scenarios.parts import (
    NOW,
    ago,
    audit,
    authority,
    claim,
    decision,
    deployment,
    entry,
    event,
    flags,
    instances,
    link,
    logs,
    observed,
    pnl,
    store,
    version,
)

DEADLINE_MS: Final = int(NOW.timestamp() * 1000) + 4_200


def _fenced(phase: Phase = Phase.RUN, key: str = "blue", *, behind: bool = False, **fields: object) -> Deployment:
    control = authority(None if phase is not Phase.RUN else Slot.BLUE, phase, **fields)
    return Deployment(read_active(key), control, instances(control.epoch, behind=behind))


def _wrong_types() -> Observation:
    bad = flags({"crash_target": "two", "accept_escrows": "yes", "max_session_bets": "50"})
    bad["bet_sizing"] = read_flag("bet_sizing", None, wrong_type="hash")
    return observed(store(deployment(None, wrong_type="list"), readings=bad), logs())


def _dry_and_live() -> Observation:
    log = logs(slots=("blue", "green"))
    totals = (
        pnl("-204.10", "-23.40", drift=-0.8),
        pnl("0.0214", "0.0009", drift=0.2, currency="BTC"),
        pnl("99.00", "12.00", drift=0.5, dry=True),
    )
    blue = version("blue", decided=1604, last_s=0.3, rate=3.1, totals=totals)
    return observed(store(), log._replace(by_slot={**log.by_slot, "blue": blue}))


def _unmapped() -> Observation:
    log = logs()
    lost = version("blue", decided=9, last_s=1, rate=1, totals=())._replace(slot="", version="canary-7")
    recent = tuple(decision(i + 1, 20 - i, "") for i in range(20))
    return observed(
        store(deployment(None), readings={}, receipts=()),
        log._replace(by_version={"canary-7": lost}, by_slot={}, recent=recent),
    )


def _silent() -> Observation:
    where = _fenced()
    late = tuple(
        one._replace(heartbeat_at=ago({"blue-2": 47, "green-2": 7200}.get(one.name, 0.4))) for one in where.instances
    )
    return observed(store(where._replace(instances=late)), logs(slots=("blue", "green")))


def _in_doubt() -> Observation:
    where = _fenced(in_doubt=2, in_flight=1)
    blue = where.instances[0]._replace(in_doubt=2)
    claims = (
        claim("bet-8841", "5", 312, action="crash: bet 5.00 at 2.1x"),
        claim("escrow-117", "1250.5", 95, action="release escrow 117 to the buyer"),
        claim("bet-8869", "2.5", 0.4, in_doubt=False),
    )
    return observed(store(where._replace(instances=(blue, *where.instances[1:])), claims=claims), logs())


def _adopted() -> Observation:
    told = event(7, 41, "adopted", "blue", "green", by="outside", why="plain key was written")
    where = Deployment(read_active("green"), authority(Slot.GREEN), instances(authority().epoch))
    return observed(store(where, receipts=(*audit(), told)), logs(slots=("blue", "green")))


def _rolled_back() -> Observation:
    told = event(7, 41, "automatic rollback", "green", "blue", by="trip", why="loss -60.5 USD")
    switched = entry(6, 500, "switch", Change("active version", "blue", "green"), why="2.5.0, 5 %")
    where = _fenced(automatic_rollback_used=True)
    return observed(store(where, receipts=(*audit(), switched, told)), logs(slots=("blue", "green")))


def _halted_by_trip() -> Observation:
    why = "exception KeyError: 'odds' by blue-1 (roll back already used)"
    told = event(7, 41, "halt", "blue", "halted", by="trip", why=why)
    where = _fenced(Phase.HALT, "halted", automatic_rollback_used=True)
    return observed(store(where, receipts=(*audit(), told)), logs())


_SCENARIOS: Final[dict[str, Callable[[], Observation]]] = {
    "blue-active": lambda: observed(store(), logs()),
    "green-active": lambda: observed(store(deployment("green")), logs(slots=("green",))),
    "both-decide": lambda: observed(store(), logs(slots=("blue", "green"))),
    "never-switched": lambda: observed(store(deployment(None), readings={}, receipts=()), logs()),
    "nothing-yet": lambda: observed(None, None, link(LinkState.CONNECTING)),
    "no-log": lambda: observed(store(), None),
    "no-file": lambda: observed(store(), LogReading(at=NOW)),
    "unmapped-version": _unmapped,
    "store-gone": lambda: observed(
        store(age_s=47), logs(), link(LinkState.RECONNECTING, attempts=3, error="connection refused")
    ),
    "offline": lambda: observed(store(age_s=700), logs(), link(LinkState.OFFLINE, attempts=90, error="timed out")),
    "silently-stale": lambda: observed(store(age_s=12), logs(age_s=12)),
    "hostile-text": hostile,
    "written-from-outside": lambda: observed(store(_fenced()._replace(active=read_active("green"))), logs()),
    "unknown-slot": lambda: observed(store(deployment("purple")), logs()),
    "wrong-types": _wrong_types,
    "fenced": lambda: observed(store(_fenced()), logs(slots=("blue", "green"))),
    "unacknowledged": lambda: observed(store(_fenced(behind=True)), logs()),
    "silent-instance": _silent,
    "in-doubt": _in_doubt,
    "adopted": _adopted,
    "rolled-back": _rolled_back,
    "halted-by-trip": _halted_by_trip,
    "draining": lambda: observed(
        store(_fenced(Phase.DRAIN, "draining", target=Slot.GREEN, in_flight=2, deadline_ms=DEADLINE_MS)), logs()
    ),
    "quiescing": lambda: observed(
        store(_fenced(Phase.DRAIN, "draining", target=Slot.GREEN, deadline_ms=DEADLINE_MS)), logs()
    ),
    "halted": lambda: observed(store(_fenced(Phase.HALT, "halted")), logs()),
    "rejected-lines": lambda: observed(
        store(), logs(rejected={"not JSON": 12, "missing field": 3, "line too long": 1})
    ),
    "dry-and-live": _dry_and_live,
    "read-only": lambda: observed(store(), logs(), read_only=True),
    **guarded.SCENARIOS,
    **proving.SCENARIOS,
    **unproven.SCENARIOS,
    **upgrading.SCENARIOS,
    "protected": lambda: observed(store(), logs(), profile="PROD", protected=True, read_only=True, locked=True),
}

NAMES: Final = tuple(_SCENARIOS)


def observation(name: str) -> Observation:
    """The recorded observation of that name."""
    return _SCENARIOS[name]()
