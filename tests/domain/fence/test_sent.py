"""Until when a key may be sent again, as people are told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from console.domain.fence.claims import Direction, OpenClaim
from console.domain.fence.sent import LIVING_MS, Sending, sending, window_of

NOW_MS = 1_800_000_000_000
CLAIM = OpenClaim(
    "bet-1", "claim-2", "blue-1", "blue", 1, NOW_MS - 500, NOW_MS, True, "f", Decimal(5), "USD", Direction.ENTER, ""
)


def test_a_claim_without_a_mark_is_the_first_that_may_have_sent_its_key() -> None:
    assert sending(CLAIM, None, 1_000) == Sending(NOW_MS - 500, NOW_MS + 500)


@pytest.mark.parametrize(("claim", "never"), [("", False), ("claim-1", False), ("claim-2", True)])
def test_a_mark_says_when_it_was_sent_first_and_which_claim_came_too_late(claim: str, never: bool) -> None:
    assert sending(CLAIM, f"1700000000000\n5\n5\n{claim}".encode(), None) == Sending(1_700_000_000_000, None, never)


@pytest.mark.parametrize("mark", [b"", b"\xff\xfe", b"nan", b"-1\n0\n0\n", b"1e9\n\n\n", b"9" * 10_000, "²".encode()])
def test_what_is_no_mark_was_sent_the_longest_ago(mark: bytes) -> None:
    assert sending(CLAIM, mark, 1_000) == Sending(0, 1_000)
    assert sending(CLAIM, mark, 1_000).words(NOW_MS).startswith("sent first nobody knows when")


@pytest.mark.parametrize("window_ms", [0, 1_000, 10**40])
def test_any_window_can_be_said_in_words(window_ms: int) -> None:
    assert sending(CLAIM, b"999999999999999\n0\n0\n", window_ms).words(NOW_MS)


def test_a_window_that_is_just_over_is_over() -> None:
    assert "never sent again" in Sending(NOW_MS - 1_000, NOW_MS).words(NOW_MS)
    assert "until" in Sending(NOW_MS - 1_000, NOW_MS + 1).words(NOW_MS)


def test_the_shortest_window_of_the_living_counts() -> None:
    beats = [{"ms": NOW_MS, "window": 5_000}, {"ms": NOW_MS - LIVING_MS, "window": 3_000}]
    assert window_of(beats, NOW_MS) == 3_000
    assert window_of(beats, NOW_MS + 1) == 5_000  # one was not heard of any more


def test_where_one_of_the_living_goes_by_no_window_none_holds() -> None:
    beats = [{"ms": NOW_MS, "window": 5_000}, {"ms": NOW_MS - LIVING_MS}]
    assert window_of(beats, NOW_MS) is None
    assert window_of(beats, NOW_MS + 1) == 5_000  # it was not heard of any more
    assert window_of([], NOW_MS) is None


@pytest.mark.parametrize("window", [float("nan"), True, "5000", -1, None, [5_000], 5e3])
def test_a_window_that_is_no_whole_number_is_none(window: Any) -> None:
    assert window_of([{"ms": NOW_MS, "window": window}], NOW_MS) is None
