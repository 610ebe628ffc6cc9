"""Lately is a span on both sides of the store's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from console.domain.lately import lately

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age_s", "within_s", "counts"),
    [
        (0, 5.0, True),
        (5.0, 5.0, True),
        (5.001, 5.0, False),
        (20.0, 25.0, True),
        (-0.05, 5.0, True),
        (-5.0, 5.0, True),
        (-5.001, 5.0, False),
        (-20.0, 25.0, False),
        (-3600.0, 5.0, False),
    ],
)
def test_what_came_while_the_rest_was_read_counts_and_what_lies_far_ahead_of_the_clock_does_not(
    age_s: float, within_s: float, counts: bool
) -> None:
    assert lately(NOW - timedelta(seconds=age_s), NOW, within_s) is counts
