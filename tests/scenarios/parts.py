"""The parts that scenarios are put together from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from console.domain.fence.claims import OpenClaim
from console.domain.fence.deployment import ActiveKey, Authority, Deployment, Instance, Phase, Slot, read_active
from console.domain.operator.receipt import AuditEntry, Change
from console.domain.seen.decision import Decision, Money
from console.domain.seen.observation import (
    Link,
    LinkState,
    LogFile,
    LogReading,
    Observation,
    PnlTotal,
    StoreReading,
    VersionReading,
)
from console.domain.state.flags import USUAL_FLAGS, FlagReading, read_flag
from console.domain.text import Safe, clean

NOW = datetime(2026, 3, 14, 14, 3, 11, 250_000, tzinfo=UTC)
URL = Safe("redis://ops-1:6379/0")
VERSIONS = {"blue": "2.4.0", "green": "2.5.0"}

_KINDS = (
    ("cash_out", "HOLD", "multiplier 1.62 is below the target of 2.0"),
    ("cash_out", "CASH_OUT 2.1x", "target reached; edge 0.031 after fees"),
    ("place_bet", "BET 12.50 crash", "kelly fraction 0.18, floor applied"),
    ("accept_escrow", "DECLINE", "arbitrator unknown; terms exceed the limit"),
    ("place_bet", "SKIP", "session bets 31 of 50; volatility above the band"),
)


def ago(seconds: float) -> datetime:
    """A moment before `NOW`."""
    return NOW - timedelta(seconds=seconds)


def decision(
    sequence: int, seconds_ago: float, slot: str = "blue", *, pnl: str | None = "", dry: bool = False
) -> Decision:
    """A decision as agents usually write it."""
    kind, outcome, reasoning = _KINDS[sequence % len(_KINDS)]
    amount = Decimal(sequence % 7 - 3) * Decimal("1.25") if pnl == "" else None if pnl is None else Decimal(pnl)
    return Decision(
        at=ago(seconds_ago),
        version=Safe(VERSIONS.get(slot, "0.9.1")),
        slot=slot,
        kind=Safe(kind),
        outcome=Safe(outcome),
        reasoning=Safe(reasoning),
        pnl=None if amount is None else Money(amount, Safe("USD"), dry),
        latency_ms=float(30 + sequence * 7 % 160),
        raw=b'{"agent_version": "%s", "inputs": {"multiplier": 1.62}}' % VERSIONS.get(slot, "0.9.1").encode(),
        source=Safe("/var/log/agent/decisions.jsonl"),
        offset=sequence * 311,
        sequence=sequence,
    )


def decisions(count: int = 60, slots: Iterable[str] = ("blue",)) -> tuple[Decision, ...]:
    """Decisions a third of a second apart, the newest 0.3 s old, oldest first."""
    order = tuple(slots)
    return tuple(decision(i + 1, 0.3 + (count - 1 - i) * 0.33, order[i % len(order)]) for i in range(count))


def walk(steps: int, drift: float, phase: float = 0.0) -> tuple[float, ...]:
    """A running total that looks like one, the same each time."""
    total, out = 0.0, []
    for step in range(steps):
        total += drift + 2.1 * math.sin(step * 0.37 + phase) + 1.3 * math.sin(step * 1.91 + phase * 2)
        out.append(round(total, 2))
    return tuple(out)


def pnl(
    total: str, last_24h: str, *, drift: float, currency: str = "USD", dry: bool = False, rounds: int = 412
) -> PnlTotal:
    """A profit or loss with a series of 120 minutes."""
    return PnlTotal(
        currency=Safe(currency),
        dry=dry,
        total=Decimal(total),
        last_24h=Decimal(last_24h),
        rounds=rounds,
        series=walk(120, drift, phase=drift),
        series_start=ago(120 * 60),
        series_step_s=60.0,
    )


def version(slot: str, *, decided: int, last_s: float, rate: float, totals: tuple[PnlTotal, ...]) -> VersionReading:
    """What the log says about one slot's version."""
    return VersionReading(
        version=Safe(VERSIONS[slot]),
        slot=slot,
        decisions=decided,
        first_at=ago(7200),
        last_at=ago(last_s),
        rate_per_s=rate,
        p50_ms=41.0 if slot == "blue" else 44.0,
        p99_ms=180.0 if slot == "blue" else 190.0,
        pnl=totals,
    )


def flags(values: Mapping[str, str | None] | None = None) -> dict[str, FlagReading]:
    """The usual flags with usual values; `None` leaves one out of the store."""
    raw: dict[str, str | None] = {
        "accept_escrows": "True",
        "bet_sizing": "kelly_floor",
        "crash_target": "2.0",
        "game": "crash",
        "max_session_bets": "50",
        "stop_loss_pct": None,
    }
    raw.update(values or {})
    return {name: read_flag(name, text, USUAL_FLAGS.get(name)) for name, text in raw.items()}


def entry(
    number: int, seconds_ago: float, command: str, *changes: Change, who: str = "ana@ops-1", why: str = ""
) -> AuditEntry:
    """A receipt as read back from the audit stream."""
    return AuditEntry(
        stream_id=f"{int(ago(seconds_ago).timestamp() * 1000)}-{number}",
        id=Safe(f"r{number:04d}"),
        at=ago(seconds_ago),
        command=clean(command),
        who=clean(who),
        why=clean(why),
        changes=changes,
        elapsed_ms=1.2 + number / 10,
        epoch=1_773_490_000_000 + number,
        reversible=True,
    )


def audit() -> tuple[AuditEntry, ...]:
    """A short morning of an operator."""
    return (
        entry(1, 5400, "flag set", Change("flag:crash_target", "1.8", "2.0"), why="agreed in review"),
        entry(2, 3100, "snapshot take", Change("snapshot", None, "agent-20260314T131131Z.json")),
        entry(3, 2900, "switch", Change("active version", "green", "blue"), why="first hour of 2.4.0"),
        entry(4, 600, "flag toggle", Change("flag:accept_escrows", "False", "True"), who="ben@laptop"),
    )


def event(
    number: int, seconds_ago: float, kind: str, before: str | None, after: str, *, by: str, why: str
) -> AuditEntry:
    """A change that no receipt accounts for, as read from the control stream."""
    change = Change("active version", before, after)
    told = entry(number, seconds_ago, kind, change, who=by, why=why)
    return told._replace(id=Safe(""), elapsed_ms=None, reversible=False)


def claim(
    key: str, amount: str, seconds_ago: float, *, holder: str = "blue-1", in_doubt: bool = True, action: str = ""
) -> OpenClaim:
    """A claim that has no end yet."""
    claimed_ms = int(ago(seconds_ago).timestamp() * 1000)
    return OpenClaim(
        key=key,
        claim_id=f"c-{key}",
        instance=holder,
        slot=holder.partition("-")[0],
        epoch=1_773_490_000_041,
        claimed_ms=claimed_ms,
        deadline_ms=claimed_ms + 30_000,
        in_doubt=in_doubt,
        fingerprint="f00d",
        amount=Decimal(amount),
        currency="USD",
        direction="enter",
        action=action,
    )


def authority(
    active: Slot | None = Slot.BLUE, phase: Phase = Phase.RUN, *, generation: int = 41, **fields: object
) -> Authority:
    """The control hash in a usual state."""
    return Authority(
        epoch=1_773_490_000_000 + generation,
        generation=generation,
        phase=phase,
        active=active,
        previous=active.other if active else None,
        **fields,  # type: ignore[arg-type]
    )


def instances(epoch: int, *, behind: bool = False) -> tuple[Instance, ...]:
    """Two processes of each slot, all heard of within the second."""
    return tuple(
        Instance(
            name=Safe(f"{slot.value}-{number}"),
            slot=slot,
            version=Safe(VERSIONS[slot.value]),
            epoch_seen=epoch - (1 if behind and number == 2 else 0),
            heartbeat_at=ago(0.3 + number / 10),
            in_flight=1 if slot is Slot.BLUE and number == 1 else 0,
        )
        for slot in Slot
        for number in (1, 2)
    )


def deployment(active: str | None = "blue", *, wrong_type: str = "", with_authority: bool = False) -> Deployment:
    """Who may act."""
    key: ActiveKey = read_active(active, wrong_type)
    return Deployment(key, authority(key.slot) if with_authority else None)


def store(
    where: Deployment | None = None,
    *,
    age_s: float = 0.2,
    readings: dict[str, FlagReading] | None = None,
    receipts: tuple[AuditEntry, ...] | None = None,
    claims: tuple[OpenClaim, ...] = (),
) -> StoreReading:
    """A reading of the store; one guard runs."""
    from tests.scenarios.guarded import guard  # which is made of these parts

    one = guard(age_s=age_s + 0.4)
    nobody = where is not None and where.active.slot is None
    return StoreReading(
        at=ago(age_s),
        server_at=ago(age_s),
        server=Safe("valkey 9.1.2"),
        latency_ms=0.4,
        deployment=where or deployment(),
        flags=flags() if readings is None else readings,
        audit=audit() if receipts is None else receipts,
        open_claims=claims,
        guards=(one._replace(watching=Safe(""), triggers=()) if nobody else one,),
    )


def logs(
    *, slots: tuple[str, ...] = ("blue",), rejected: Mapping[str, int] | None = None, age_s: float = 0.2
) -> LogReading:
    """Two versions that trade, the green one for an hour and a little worse."""
    by_slot = {
        "blue": version("blue", decided=1604, last_s=0.3, rate=3.1, totals=(pnl("1204.10", "123.40", drift=1.1),)),
        "green": version(
            "green",
            decided=412,
            last_s=0.6 if "green" in slots else 2900,
            rate=0.8 if "green" in slots else 0.0,
            totals=(pnl("18.02", "18.02", drift=0.25, rounds=97),),
        ),
    }
    recent = decisions(60, slots)
    return LogReading(
        at=ago(age_s),
        files=(LogFile(Safe("/var/log/agent/decisions.jsonl"), inode=7, offset=612_000, size=612_000),),
        total=2016,
        rejected=dict(rejected or {}),
        by_version={reading.version: reading for reading in by_slot.values()},
        by_slot=by_slot,
        recent=recent,
    )


def link(state: LinkState = LinkState.LIVE, *, attempts: int = 0, error: str = "") -> Link:
    """A connection."""
    return Link(state, URL, latency_ms=0.4, attempts=attempts, error=clean(error))


def observed(
    reading: StoreReading | None = None,
    log: LogReading | None = None,
    connection: Link | None = None,
    *,
    read_only: bool = False,
    profile: str = "",
    protected: bool = False,
    locked: bool = False,
) -> Observation:
    """An observation as of `NOW`."""
    return Observation(
        agent=Safe("atlas"),
        now=NOW,
        link=connection or link(),
        store=reading,
        logs=log,
        read_only=read_only,
        profile=clean(profile),
        protected=protected,
        locked=locked,
    )
