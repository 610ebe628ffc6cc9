"""Facts for gates: all well by default, one of them replaced by each test."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from console.domain.canary.plan import Position, RunState
from console.domain.canary.run import CanaryReading, CanaryRun, DeskReading
from console.domain.commitments.commitment import Commitment, Kind, Owed, Superset
from console.domain.commitments.listing import Listing, Place, Thing
from console.domain.fence.claims import Level
from console.domain.fence.deployment import ActiveKey, ActiveState, Authority, Deployment, Instance, Phase, Slot
from console.domain.gates.fact import Lack, known, lacking
from console.domain.gates.facts import (
    CanarySeen,
    GateFacts,
    HealthSeen,
    ManifestsSeen,
    PlainState,
    SnapshotSeen,
    Switched,
    VenueFacts,
    VolatilitySeen,
)
from console.domain.gates.gate import Act, Asked
from console.domain.gates.rules import GateRules
from console.domain.guard.alerts import GuardReading, TriggerReading
from console.domain.manifest.manifest import Manifest
from console.domain.manifest.recorded import Declared, Recorded
from console.domain.rehearsal.evidence import Evidence
from console.domain.seen.observation import LogReading
from console.domain.shadow.rates import ShadowReading
from console.domain.shadow.report import ShadowReport
from console.domain.text import Safe
from console.domain.triggers.finding import Arming, Trigger, Verdict
from console.domain.venue.terms import EscrowTerms, Payee

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
MANIFEST = Manifest.of(code="1", model="m-2026-01-01", prompt="p", tools=[], flags={}, state={"limit": "int"})
HELD = Declared(MANIFEST, NOW, Slot.GREEN, Safe("green-1"))
LACKS = (Lack.MISSING, Lack.STALE, Lack.ERROR, Lack.TIMEOUT)


def at(seconds: float) -> datetime:
    """So many seconds from now."""
    return NOW + timedelta(seconds=seconds)


def instance(slot: Slot, age_s: float = 0.5, *, info: str = "", version: str = "") -> Instance:
    name = f"{slot.value}-1"
    told = version or {Slot.BLUE: "2.4.0", Slot.GREEN: "2.5.0"}[slot]
    return Instance(Safe(name), slot, Safe(told), 7, at(-age_s), info=Safe(info), manifest=Safe(MANIFEST.hash))


def deployment(*instances: Instance, active: Slot = Slot.BLUE, in_doubt: int = 0) -> Deployment:
    authority = Authority(7, 2, Phase.RUN, active, previous=active.other, in_doubt=in_doubt, level=Level.NONE)
    return Deployment(ActiveKey(ActiveState.SLOT, active, Safe(active.value)), authority, instances)


def run(state: RunState = RunState.DONE, *, slot: str = "green", since_s: float = 98.0) -> CanaryRun:
    return CanaryRun(
        name=Safe("r1"),
        slot=slot,
        plan=None,
        digest="d",
        state=state,
        position=Position(1, 3),
        share=Decimal("0.05"),
        loss_budget=None,
        currency=Safe("USD"),
        capital=Decimal(10_000),
        began_at=at(-5000),
        step_began_at=at(-since_s),
        why=Safe("loss budget"),
    )


def desk(balance: str = "-41.20") -> DeskReading:
    return DeskReading(
        NOW, Safe("d"), Safe("r1"), Position(1, 3), Decimal("0.05"), rounds=212, balance=Decimal(balance)
    )


def canary(state: RunState, version: str = "2.5.0", **more: Any) -> Any:
    return known("canary", NOW, CanarySeen(CanaryReading(run(state, **more), desk()), version))


def shadow(rounds: int, diverged: int = 0, name: str = "2.5.0", **more: Any) -> Any:
    reading = ShadowReading(rounds=rounds, diverged=diverged, **more)
    return known("shadows", NOW, (ShadowReport(Safe(name), at(-30), Safe("h"), reading, Safe("USD")),))


def escrow(name: str, due_s: float | None, *, disputed: bool = False) -> Owed:
    detail = '{"status": "disputed"}' if disputed else ""
    due = None if due_s is None else at(due_s)
    return Owed(
        Commitment(name, Kind.ESCROW, Decimal(50), "USD", due=due, detail=detail), None, Slot.BLUE, "2.4.0", 7, NOW
    )


def guard(age_s: float = 0.5, *, problem: str = "", harm: str = "", watching: str = "blue") -> GuardReading:
    verdict = Verdict.HARM if harm else Verdict.SAFE
    trigger = TriggerReading(Trigger.PNL, verdict, Arming.ARMED, Safe(""), Safe(harm or "within"))
    band = TriggerReading(Trigger.BAND, Verdict.SAFE, Arming.ARMED, Safe(""), Safe("0.2 sigma"))
    return GuardReading(
        Safe("g1"), at(-age_s), watching=Safe(watching), problem=Safe(problem), triggers=(trigger, band), decisions=99
    )


def unchecked(source: str) -> Any:
    return lacking(source, NOW, Lack.NOT_CHECKED, "nothing is there")


def prices(*values: float, step_s: float = 60.0, newest_s: float = 10.0) -> VolatilitySeen:
    first = -newest_s - step_s * (len(values) - 1)
    return VolatilitySeen(tuple((at(first + step_s * index), value) for index, value in enumerate(values)))


def rehearsal(**changes: Any) -> Evidence:
    """A rehearsal of green's version that passed a minute ago."""
    whole = Evidence(
        version="2.5.0",
        passed=True,
        words="0 of 60 rounds differ",
        rounds=60,
        differing=0,
        faults=0,
        runs=2,
        first=at(-90_000),
        last=at(-4_000),
        inputs_sha256="ab" * 32,
        command="python3 decide.py",
        allowances="",
        who="ann",
        login="default",
        at=at(-60),
    )
    return replace(whole, **changes)


TERMS = EscrowTerms(Payee.COUNTERPARTY, "their terms, section 7", "ann", "2026-03-01")
LISTED = Listing(
    Place.VENUE,
    "casino",
    NOW,
    (Thing("esc_1", Kind.ESCROW, Decimal(50), "USD", at(7200)),),
    frozenset({Kind.ESCROW}),
    terms=TERMS,
)


def facts(**changes: Any) -> GateFacts:
    """All well, but for what is named."""
    venue = known("venue", NOW, "as the books have it")
    whole = GateFacts(
        deployment=deployment(instance(Slot.BLUE), instance(Slot.GREEN)),
        versions={Slot.BLUE: ("2.4.0",), Slot.GREEN: ("2.5.0",)},
        canary=canary(RunState.DONE),
        shadows=shadow(60, 6, live_pnl=Decimal(10), shadow_pnl=Decimal(11)),
        doubts=known("claims", NOW, ()),
        owed=known("commitments", NOW, (escrow("esc_1", 7200),)),
        superset=known("instances", NOW, Superset(1, ())),
        guards=known("guards", NOW, (guard(),)),
        alerts=known("alerts", NOW, ()),
        snapshot=known("snapshots", NOW, SnapshotSeen("s1", "agent", at(-10))),
        manifests=known("manifests", NOW, ManifestsSeen({"2.5.0": Recorded("2.5.0", HELD)})),
        state=known("state file", NOW, PlainState(at(-5), (), 0, True)),
        logs=known("logs", NOW, LogReading(NOW)),
        volatility=known("redis key vol", NOW, prices(*[1.0] * 20)),
        venue=VenueFacts(venue, venue, venue, venue, venue, known("venue", NOW, ()), known("venue", NOW, ()))._replace(
            terms=known("venue's terms", NOW, (TERMS,))
        ),
        health={Slot.GREEN: known("health", NOW, HealthSeen(200))},
        switched=known("control log", NOW, Switched(at(-100_000), 7, Slot.BLUE, Slot.GREEN)),
        ticks=known("gates", NOW, {}),
        rehearsals=known("rehearsals", NOW, {"2.5.0": rehearsal()}),
    )
    return whole._replace(**changes)


def asked(act: Act = Act.SWITCH, target: Slot | None = Slot.GREEN, **rules: Any) -> Asked:
    return Asked(act, target, NOW, NOW, GateRules(**rules))
