"""What the boards of the screens 6 and 7 show, as if it had been read half a second ago."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from console.domain.board.boards import Seen
from console.domain.board.checks import Checks
from console.domain.board.held import Held, SnapshotFile
from console.domain.board.whole import put_together
from console.domain.commitments.commitment import Commitment, Flow, HandOver, Kind, Owed
from console.domain.commitments.left import Acts, Left, Retired, version_facts
from console.domain.commitments.listing import Listing
from console.domain.commitments.sight import Sight
from console.domain.fence.deployment import Deployment, Phase, Slot, read_active
from console.domain.gates.checklist import clocks, list_phases
from console.domain.gates.fact import Fact, Lack, known, lacking
from console.domain.gates.facts import (
    CanarySeen,
    GateFacts,
    HealthSeen,
    PlainState,
    SnapshotSeen,
    Switched,
    Tick,
    VenueFacts,
)
from console.domain.gates.gate import Act, Asked, CheckPhase
from console.domain.gates.plan import Plan, Proposed
from console.domain.gates.rules import DEFAULT_RULES
from console.domain.seen.observation import Observation
from console.domain.state.kept import KeptState, KeptStates
from console.domain.state.pieces import Pieces
from console.domain.text import Safe
from console.domain.venue.books import Comparison, Standing
from console.domain.venue.stored import VenueSeen
from console.domain.venue.terms import EscrowTerms, Payee
from tests.scenarios.parts import NOW, ago, authority, instances, logs, observed, store

READ_AT = ago(0.5)


def owed(
    name: str,
    kind: Kind,
    amount: str,
    due_s: float | None,
    *,
    currency: str = "USD",
    flow: Flow = Flow.OUT,
    pin: Slot | None = None,
    slot: Slot = Slot.BLUE,
    hand_over: HandOver | None = None,
    claim: str = "",
    detail: str = "",
) -> Owed:
    """A commitment that ends so many seconds from `NOW`."""
    due = None if due_s is None else NOW + timedelta(seconds=due_s)
    what = Commitment(name, kind, Decimal(amount), currency, flow, due, hand_over, detail)
    version = {"blue": "2.4.0", "green": "2.5.0"}[slot.value]
    return Owed(what, pin, slot, version, 1_773_490_000_041, ago(4_000), claim)


def some_owed() -> tuple[Owed, ...]:
    """What an agent of every kind owes, by deadline."""
    return (
        owed("wd_0098", Kind.WITHDRAWAL, "250", -95, pin=Slot.BLUE),
        owed("round-88412", Kind.ROUND, "12.50", 41, flow=Flow.EITHER, pin=Slot.BLUE, claim="bet-88412"),
        owed("esc_91ab", Kind.ESCROW, "1204", 1_120, detail='{"role": "creator", "arbitrator": "arb_7"}'),
        owed("esc_7c20", Kind.ESCROW, "86.25", 15_300, flow=Flow.IN, detail='{"status": "disputed"}'),
        owed("ord-551", Kind.LIMIT_ORDER, "3100", 64_000, flow=Flow.LONG, slot=Slot.GREEN),
        owed("chal-12", Kind.CHALLENGE, "0.0025", 260_000, currency="BTC", flow=Flow.EITHER),
        owed("BTC-PERP", Kind.POSITION, "18450.75", None, currency="USDT", flow=Flow.SHORT),
        owed("stop-BTC-PERP", Kind.STOP_ORDER, "18450.75", None, currency="USDT", flow=Flow.LONG),
    )


def kept(number: int, seconds_ago: float, *, why: str = "") -> KeptState:
    """A state that blue-1 kept."""
    digest = Safe(f"{number:02x}" * 20)
    return KeptState(
        number, digest, ago(seconds_ago), Safe("blue"), Safe("blue-1"), 1_773_490_000_041, 900 + number, 3,
        Safe("2.4.0"), Decimal(0), 48_213, Safe(why), Pieces(str(digest), "", (), 48_213),
    )  # fmt: skip


def snapshot_file(seconds_ago: float, *, who: str = "ana@ops-1", why: str = "") -> SnapshotFile:
    """A snapshot's file."""
    at = ago(seconds_ago)
    name = f"{at:%Y%m%dT%H%M%S}000000Z-5f3a9c1d"
    return SnapshotFile(
        Safe(name), Safe(f"/var/lib/agent/{name}.json"), 21_480, Safe("5f3a9c1d77e0"), Safe(""), at, Safe("blue"), 6,
        Safe(who), Safe(why),
    )  # fmt: skip


def book(
    what: str, standing: Standing, ours: str | None, venue: str | None, difference: str | None, **more: Any
) -> Comparison:
    """A line of both books."""
    return Comparison(
        Safe(what), standing, Safe(ours) if ours else None, Safe(venue) if venue else None,
        None if difference is None else Decimal(difference), more.get("currency", ""), 12.0, 3.0,
        Safe(more.get("detail", "")),
    )  # fmt: skip


def looked(**more: Any) -> VenueSeen:
    """A guard's look at the venue, three seconds old."""
    rows = (
        book("balance", Standing.DIFFERS, "9731.50", "9719.00", "-12.50", currency="USD",
             detail="by -12.50 USD; 0.01 is allowed"),
        book("positions", Standing.AGREES, "1: BTC-PERP", "1: BTC-PERP", "0"),
        book("orders", Standing.UNKNOWN, "2: ord-551, stop-BTC-PERP", None, None, detail="timed out after 2 s"),
        book("escrows", Standing.AGREES, "2: esc_7c20, esc_91ab", "2: esc_7c20, esc_91ab", "0"),
    )  # fmt: skip
    return VenueSeen(Safe("flea"), more.get("at", ago(3)), Safe("guard-2"), 10.0, 2, (), more.get("rows", rows))


def observed_after_the_switch() -> Observation:
    """Green acts since four minutes, both sides are connected."""
    control = authority(Slot.GREEN)
    where = Deployment(read_active("green"), control, instances(control.epoch))
    return observed(store(where), logs(slots=("blue", "green")))


NOT_SAID: Fact[Any] = lacking("elsewhere", READ_AT, Lack.NOT_CHECKED, "nobody configured it")


def held(
    every: Iterable[Owed] | None = None,
    *,
    terms: Fact[tuple[EscrowTerms, ...]] | None = None,
    watched: bool = True,
    state: Fact[PlainState] = NOT_SAID,
    there: Fact[Listing] = NOT_SAID,
) -> Held:
    """What is held: green took over from blue four minutes ago, and blue drains.

    Args:
        every: on the store's list.
        terms: who is paid at a time-out.
        watched: whether anybody says that it watches.
        state: what the state file says.
        there: what the venue lists.
    """
    control = authority(Slot.GREEN)
    all_owed = some_owed() if every is None else tuple(every)
    living = instances(control.epoch)
    ids = frozenset(one.id for one in all_owed)
    eyes = {"green-1": ids - {"chal-12"}, "blue-1": ids} if watched else {}
    left = Left(all_owed, (), 0, living, {"2.3.9": Slot.BLUE, "2.3.8": Slot.GREEN}, eyes, READ_AT)
    where = Deployment(read_active("green"), control, living)
    acts = Acts({"blue-1": ago(290), "green-1": ago(2)}, ago(4_000))
    retired = {"2.3.8": Retired(ago(90_000))}
    versions = version_facts(left, acts, where, retired=retired, sight=Sight(None, looked_at=ago(3)))
    counterparty = (EscrowTerms(Payee.COUNTERPARTY, "support ticket 4411, 2 May"),)
    terms = terms or known("terms", READ_AT, counterparty)
    listed = known("commitments", READ_AT, left)
    return Held(
        at=READ_AT,
        took_s=0.02,
        authority=control,
        runs={Slot.BLUE: ("2.4.0",), Slot.GREEN: ("2.5.0",)},
        left=listed,
        whole=put_together(listed, state, "state.json", there, terms),
        versions=known("versions", READ_AT, versions),
        venue=known("venue, by a guard", READ_AT, looked()),
        terms=terms,
        snapshots=known(
            "snapshot files",
            READ_AT,
            (
                snapshot_file(190, why="before 2.5.0"),
                snapshot_file(3_100, who="ben@laptop"),
                SnapshotFile(Safe("20260314T101500000000Z-00aa11bb"), Safe("/var/lib/agent/torn.json"), 900,
                             Safe("00aa11bb77e0"), Safe("is not a snapshot: the file is cut off")),
            ),
        ),
        kept=known("kept states", READ_AT, KeptStates((kept(12, 8, why="hand-over"), kept(11, 640)), (), READ_AT)),
    )  # fmt: skip


def nothing_held() -> Held:
    """A store that nobody has written to, and no venue."""
    none = lacking("venue, by a guard", READ_AT, Lack.NOT_CHECKED, "no guard has ever asked the venue")
    left = known("commitments", READ_AT, Left((), (), 0, (), {}, {}, READ_AT))
    return Held(
        READ_AT, 0.004, None, {}, left, put_together(left, NOT_SAID, "", NOT_SAID, NOT_SAID),
        known("versions", READ_AT, ()), none, NOT_SAID,
        known("snapshot files", READ_AT, ()), known("kept states", READ_AT, KeptStates((), (), READ_AT)),
    )  # fmt: skip


def plan(closed: tuple[str, ...] = ("auto-release",), *, seconds_ago: float = 75) -> Plan:
    """An override that somebody proposed."""
    return Plan(
        "atlas", "switch", "switch", "green", "", 1_773_490_000_041, closed, "", "the release is ours, by phone",
        "ben@laptop", "ben", ago(seconds_ago),
    )  # fmt: skip


def gate_facts(at: datetime, *, switched_s: float | None = None, ticks: dict[str, Tick] | None = None) -> GateFacts:
    """Blue acts, green stands by; an escrow is released in 19 minutes."""
    control = authority(Slot.BLUE if switched_s is None else Slot.GREEN, Phase.RUN)
    living = instances(control.epoch)
    reading = store(Deployment(read_active(str(control.active)), control, living))
    never: Fact[Any] = lacking("volatility", at, Lack.NOT_CHECKED, "no source is configured")
    since = (
        lacking("control log", at, Lack.NOT_CHECKED, "no change of the active side is recorded")
        if switched_s is None
        else known("control log", at, Switched(ago(switched_s), control.epoch, Slot.GREEN, Slot.BLUE, "ana", "2.5.0"))
    )
    return GateFacts(
        deployment=reading.deployment,
        versions={Slot.BLUE: ("2.4.0",), Slot.GREEN: ("2.5.0",)},
        canary=known("canary", at, CanarySeen(None)),
        shadows=lacking("shadows", at, Lack.NOT_CHECKED, "no shadow has ever reported"),
        doubts=known("claims", at, ()),
        owed=known("commitments", at, some_owed()),
        superset=lacking("commitments", at, Lack.NOT_CHECKED, "no commitment is recorded"),
        guards=known("guards", at, reading.guards),
        alerts=known("alerts", at, ()),
        snapshot=known("snapshots", at, SnapshotSeen("20260314T140001Z-5f3a9c1d", "atlas", ago(190))),
        state=lacking("state file", at, Lack.NOT_CHECKED, "no state file is configured"),
        logs=lacking("decision logs", at, Lack.NOT_CHECKED, "no decision log is followed"),
        volatility=never,
        venue=VenueFacts(
            key=known("venue, by a guard", ago(3), "key: ok: taken"),
            balance=lacking("venue, by a guard", ago(3), Lack.ERROR, "balance: books differ: by -12.50 USD"),
        ),
        health={Slot.GREEN: known("health of green", ago(48), HealthSeen(200))},
        switched=since,
        ticks=known("gates' records", at, ticks or {}),
        rehearsals=known("rehearsals", at, {}),
    )


def checks(
    *,
    target: Slot = Slot.GREEN,
    switched_s: float | None = None,
    plans: tuple[Plan, ...] | None = None,
    ticked: bool = True,
) -> Checks:
    """The checklist half a second ago."""
    tick = Tick("plan-read", "ben@laptop", "ben", ago(400), "read it with ana", 41)
    facts = gate_facts(READ_AT, switched_s=switched_s, ticks={"plan-read": tick} if ticked else {})
    asked = Asked(Act.SWITCH, target, READ_AT, READ_AT, replace(DEFAULT_RULES, approvals=2))
    proposed = tuple(Proposed(one, None, 1) for one in ((plan(),) if plans is None else plans))
    return Checks(
        at=READ_AT,
        server_at=READ_AT,
        outside_at=ago(48),
        epoch=1_773_490_000_041,
        approvals=2,
        checked=list_phases(facts, asked, tuple(CheckPhase)),
        clocks=clocks(facts, READ_AT),
        versions=facts.versions,
        plans=known("approvals", READ_AT, proposed),
    )


def seen(name: str) -> Seen:
    """What the boards show in a situation."""
    return {
        "draining-version": lambda: Seen(held=held()),
        "nothing-held": lambda: Seen(held=nothing_held()),
        "blocked": lambda: Seen(checks=checks()),
        "after-switch": lambda: Seen(checks=checks(target=Slot.BLUE, switched_s=730, plans=())),
        "unread": lambda: Seen(problem=Safe("The store does not answer.")),
    }[name]()
