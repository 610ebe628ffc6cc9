"""Scenarios by name. A name says what an operator would call the situation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from console.domain.deployment import Deployment, Phase, Slot, read_active
from console.domain.flags import read_flag
from console.domain.observation import LinkState, LogReading, Observation
from tests.scenarios.hostile import hostile
from tests.scenarios.parts import (
    NOW,
    authority,
    decision,
    deployment,
    flags,
    instances,
    link,
    logs,
    observed,
    pnl,
    store,
    version,
)


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
    "in-doubt": lambda: observed(store(_fenced(in_doubt=2, in_flight=1)), logs()),
    "draining": lambda: observed(
        store(_fenced(Phase.DRAIN, "draining", target=Slot.GREEN, in_flight=2, deadline_ms=1)), logs()
    ),
    "halted": lambda: observed(store(_fenced(Phase.HALT, "halted")), logs()),
    "rejected-lines": lambda: observed(
        store(), logs(rejected={"not JSON": 12, "missing field": 3, "line too long": 1})
    ),
    "dry-and-live": _dry_and_live,
    "read-only": lambda: observed(store(), logs(), read_only=True),
    "protected": lambda: observed(store(), logs(), profile="PROD", protected=True, read_only=True),
}

NAMES: Final = tuple(_SCENARIOS)


def observation(name: str) -> Observation:
    """The recorded observation of that name."""
    return _SCENARIOS[name]()
