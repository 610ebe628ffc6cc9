"""Values from outside: what is none of the kind that is wanted counts as missing, whatever it is."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf, nan

import pytest

from console.domain.untrusted import moment, real, texts, whole


@pytest.mark.parametrize("value", [None, "7", True, -1, 1.0, 1 << 60, [], {}])
def test_what_is_no_whole_number_of_at_least_0_counts_as_0(value: object) -> None:
    assert whole(value) == 0
    assert whole(7) == 7


@pytest.mark.parametrize("value", [None, "7", False, nan, inf, -inf, 1e300, 10**400, [], {}])
def test_what_cannot_be_calculated_with_is_no_number(value: object) -> None:
    assert real(value) is None
    assert (real(7), real(-1.5)) == (7.0, -1.5)


@pytest.mark.parametrize("value", [None, 7, "", "soon", "2026-03-01T00:00:00", "2026-13-01T00:00:00+00:00"])
def test_a_time_has_a_zone_or_is_none(value: object) -> None:
    assert moment(value) is None
    assert moment("2026-03-01T00:00:00+00:00") == datetime(2026, 3, 1, tzinfo=UTC)


def test_texts_are_made_safe_and_bounded_in_number_and_length() -> None:
    assert texts(["\x1b[31m", "b" * 99, None, "c"], 3, 8)[0].isprintable()
    assert [len(text) <= 8 for text in texts(["b" * 99] * 9, 3, 8)] == [True] * 3
    assert texts("abc", 3, 8) == texts(None, 3, 8) == ()
