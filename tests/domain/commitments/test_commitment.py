"""Commitments: who owns one is a function of its record and of who is active."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.commitments.commitment import (
    Commitment,
    Flow,
    HandOver,
    Kind,
    Owed,
    checked,
    parse_owed,
    read_owed,
    superset,
    to_record,
)
from console.domain.errors import UsageError
from console.domain.fence.deployment import Authority, Phase, Slot

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SLOTS = st.sampled_from([None, *Slot])
WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40)
COMMITMENTS = st.builds(
    Commitment,
    id=WORDS,
    kind=st.sampled_from(Kind),
    amount=st.decimals(0, 10**9, allow_nan=False, places=6),
    currency=st.sampled_from(["", "USD", "BTC"]),
    flow=st.sampled_from(Flow),
    due=st.none()
    | st.integers(1, 4_000_000_000_000).map(lambda ms: datetime.fromtimestamp(0, UTC) + timedelta(0, 0, 0, ms)),
    hand_over=st.none() | st.sampled_from(HandOver),
    detail=st.text(max_size=60).filter(lambda text: text == text.encode("utf-8", "replace").decode()),
)


def owed(id: str = "esc_1", pin: Slot | None = None, due: datetime | None = None) -> Owed:
    return Owed(Commitment(id, Kind.ESCROW, due=due), pin, Slot.BLUE, "2.4.0", 7, NOW)


@given(COMMITMENTS)
def test_what_an_author_says_of_a_commitment_survives_the_store(commitment: Commitment) -> None:
    record = "\n".join(("", "blue", "2.4.0", "7", "1000", to_record(commitment)))
    read = parse_owed(commitment.id, record).commitment
    assert read == commitment._replace(hand_over=commitment.policy)


@given(SLOTS, SLOTS, SLOTS, st.sampled_from(Phase))
def test_every_commitment_has_exactly_one_owner_once_anybody_was_active(
    pin: Slot | None, active: Slot | None, previous: Slot | None, phase: Phase
) -> None:
    authority = Authority(1, 1, phase, active=active, previous=previous)
    owner = owed(pin=pin).owner(authority)
    assert owner is (pin or active or previous)
    assert owner is not None or not (pin or active or previous)


def test_what_is_not_pinned_moves_with_the_switch_and_what_is_pinned_stays() -> None:
    assert owed().owner_after(Slot.GREEN) is Slot.GREEN
    assert owed(pin=Slot.BLUE).owner_after(Slot.GREEN) is Slot.BLUE


def test_while_all_is_halted_the_last_active_side_answers() -> None:
    assert owed().owner(Authority(9, 3, Phase.HALT, previous=Slot.GREEN)) is Slot.GREEN


@pytest.mark.parametrize(
    "bad",
    [
        Commitment("", Kind.ROUND),
        Commitment("a\nb", Kind.ROUND),
        Commitment("x" * 201, Kind.ROUND),
        Commitment("a", "castle"),  # type: ignore[arg-type]
        Commitment("a", Kind.ROUND, Decimal("NaN")),
        Commitment("a", Kind.ROUND, Decimal(-1)),
        Commitment("a", Kind.ROUND, 1.5),  # type: ignore[arg-type]
        Commitment("a", Kind.ROUND, due=datetime(2026, 1, 1)),
        Commitment("a", Kind.ROUND, detail="\ud83d"),
        Commitment("a", Kind.ROUND, detail="x" * 5000),
        Commitment("a", Kind.ROUND, currency="\x1b[2J"),
    ],
)
def test_a_commitment_that_can_not_be_recorded_is_refused(bad: Commitment) -> None:
    with pytest.raises(UsageError):
        checked(bad)


@pytest.mark.parametrize("raw", ["", "a", "\n" * 11, "\n" * 20, "blue\n" * 12])
def test_what_is_no_record_is_left_out_and_never_a_commitment(raw: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_owed("x", raw)
    assert read_owed({"x": raw}, {}) == ()


def test_commitments_stand_in_the_order_of_their_deadlines_and_those_without_one_last() -> None:
    lines = {
        name: "\n".join(("", "blue", "2", "7", "1000", to_record(Commitment(name, Kind.ROUND, due=due))))
        for name, due in (("c", None), ("b", NOW), ("a", NOW + timedelta(minutes=1)))
    }
    assert [one.id for one in read_owed(lines, {})] == ["b", "a", "c"]


def test_a_side_is_asked_for_what_it_will_own_and_every_id_that_it_does_not_watch_is_named() -> None:
    listed = [owed("a"), owed("b", Slot.BLUE), owed("c")]
    assert superset(listed, ["a", "x"], Slot.GREEN, target=Slot.GREEN).unwatched == ("c",)
    assert superset(listed, ["a", "c"], Slot.GREEN, target=Slot.GREEN).proved
    assert superset(listed, [], Slot.BLUE, target=Slot.GREEN).unwatched == ("b",)


def test_what_goes_unwatched_is_named_without_what_a_terminal_would_obey() -> None:
    proof = superset([owed("esc\u202e_1"), *map(owed, "abcd")], [], Slot.GREEN, target=Slot.GREEN)
    assert proof.missing.isprintable() and "\u202e" not in proof.missing
    assert proof.missing.endswith("and 2 more (5 of 5)")


def test_nothing_watched_proves_nothing_unless_nothing_is_owed() -> None:
    assert superset([], [], Slot.GREEN, target=Slot.GREEN).proved
    assert not superset([owed()], [], Slot.GREEN, target=Slot.GREEN).proved
