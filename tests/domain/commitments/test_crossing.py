"""What a switch hands over, in figures: how many go, how many stay, which nobody watches, when the first is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from console.domain.commitments.commitment import Commitment, Kind, Owed
from console.domain.commitments.crossing import crossing
from console.domain.commitments.left import Left
from console.domain.fence.deployment import Instance, Slot
from console.domain.text import Safe
from tests.scenarios.parts import instances

NOW = datetime(2026, 3, 14, 14, 3, 11, tzinfo=UTC)


def owed(name: str, kind: Kind = Kind.ESCROW, minutes: float | None = None, pin: Slot | None = None) -> Owed:
    due = None if minutes is None else NOW + timedelta(minutes=minutes)
    return Owed(Commitment(name, kind, Decimal(12), "USD", due=due), pin, Slot.BLUE, "2.4.0", 41, NOW)


def left(*what: Owed, watched: frozenset[str] = frozenset()) -> Left:
    green: Instance = next(one for one in instances(41) if one.slot is Slot.GREEN)._replace(heartbeat_at=NOW)
    return Left(what, (), 0, (green,), {}, {str(green.name): watched}, NOW)


def test_nothing_owed_is_said() -> None:
    assert crossing(left(), Slot.GREEN) == ("none is recorded in the store",)


def test_what_goes_is_counted_by_kind_with_the_first_that_is_due_and_what_is_not_watched() -> None:
    both = left(
        owed("esc_1", minutes=12), owed("esc_2", minutes=90), owed("p", Kind.POSITION), watched=frozenset({"p"})
    )
    assert crossing(both, Slot.GREEN) == (
        "3: 2 × escrow, 1 × position for green then; esc_1 is due in 12 min",
        "green does not watch esc_1, esc_2 (2 of 3)",
    )


def test_what_is_watched_and_what_stays_is_said() -> None:
    one = left(owed("esc_1"), owed("r", Kind.ROUND, -0.5, Slot.BLUE), watched=frozenset({"esc_1"}))
    assert crossing(one, Slot.GREEN) == (
        "1: 1 × escrow for green then",
        "all 1 watched by green",
        "1: 1 × round with blue still; r is due 30 s ago",
    )


def test_an_id_from_outside_is_safe_to_draw() -> None:
    evil = left(owed("\x1b[2J" + "x" * 300, minutes=1))
    assert all("\x1b" not in line and len(line) < 200 for line in crossing(evil, Slot.GREEN))
    assert Safe(crossing(evil, Slot.GREEN)[0])
