"""Versions drain: drained is shown, never assumed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from console.domain.commitments.commitment import Commitment, Kind, Owed
from console.domain.commitments.versions import Item, VersionFacts, VersionState, items_of, judge
from console.domain.fence.claims import OpenClaim
from console.domain.fence.deployment import Authority, Phase, Slot

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EMPTY = VersionFacts("2.4.0", (Slot.BLUE,), last_act=NOW, venue_read=NOW + timedelta(seconds=1))
ITEM = Item("escrow", "esc_1", None, Slot.GREEN)
GREEN = Authority(9, 2, Phase.RUN, active=Slot.GREEN, previous=Slot.BLUE)


def test_a_version_is_drained_only_after_a_read_of_the_venue_that_is_newer_than_its_last_act() -> None:
    assert judge(EMPTY).state is VersionState.DRAINED
    assert judge(EMPTY._replace(venue_read=NOW)).state is VersionState.UNKNOWN


@pytest.mark.parametrize(
    "gap", [{"venue_read": None}, {"last_act": None}, {"unreadable": "one record is no commitment"}]
)
def test_what_can_not_be_read_is_unknown_and_may_not_be_stopped(gap: dict[str, object]) -> None:
    verdict = judge(EMPTY._replace(**gap))  # type: ignore[arg-type]
    assert verdict.state is VersionState.UNKNOWN
    assert not verdict.may_stop


@pytest.mark.parametrize("retired_at", [None, NOW])
def test_a_version_is_never_drained_while_one_item_of_its_own_is_listed(retired_at: datetime | None) -> None:
    assert judge(EMPTY._replace(items=(ITEM,), retired_at=retired_at)).state is VersionState.DRAINING


def test_the_active_version_may_not_be_stopped_however_little_is_left_of_it() -> None:
    assert not judge(EMPTY._replace(is_active=True, retired_at=NOW)).may_stop


def test_what_nobody_takes_is_counted_aloud() -> None:
    assert "nobody" in judge(EMPTY._replace(items=(ITEM._replace(taken_by=None),))).why


def _owed(pin: Slot | None = None) -> Owed:
    return Owed(Commitment("esc_1", Kind.ESCROW), pin, Slot.BLUE, "2.4.0", 7, NOW)


def test_a_commitment_is_left_until_another_version_of_its_owner_watches_it() -> None:
    left = items_of("2.4.0", [_owed()], [], authority=GREEN, watched={(Slot.GREEN, "2.5.0"): frozenset()}, server_ms=0)
    assert left == (ITEM,)
    eyes = {(Slot.GREEN, "2.5.0"): frozenset({"esc_1"})}
    assert items_of("2.4.0", [_owed()], [], authority=GREEN, watched=eyes, server_ms=0) == ()


def test_what_a_dead_side_owns_has_nobody_to_take_it() -> None:
    left = items_of("2.4.0", [_owed(Slot.BLUE)], [], authority=GREEN, watched={}, server_ms=0)
    assert left == (ITEM._replace(taken_by=None),)


def test_a_side_that_watches_what_it_does_not_own_takes_nothing_over() -> None:
    eyes = {(Slot.GREEN, "2.5.0"): frozenset({"esc_1"})}
    assert items_of("2.4.0", [_owed(Slot.BLUE)], [], authority=GREEN, watched=eyes, server_ms=0)


def test_claims_and_doubts_are_left_of_the_version_that_made_them() -> None:
    claim = OpenClaim("k", "c", "i", "blue", 7, 0, 1_000, False, "f", Decimal(1), "USD", "enter", "")
    one, other = (
        items_of("2.4.0", [], [("2.4.0", claim), ("2.5.0", claim)], authority=GREEN, watched={}, server_ms=ms)
        for ms in (500, 1_500)
    )
    assert one == (Item("claim", "k", None, Slot.BLUE),)
    assert other == (Item("doubt", "k", None, None),)
