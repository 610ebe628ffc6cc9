"""What a venue says is exact and known, or unknown with a reason; time alone makes the one the other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.text import Safe
from console.domain.venue.reading import Reading, Why, unknown
from console.domain.venue.values import MISSING, amount_of, at_pointer, moment_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_reading_is_known_with_a_value_or_unknown_with_a_reason_and_never_both() -> None:
    with pytest.raises(ValueError, match="either"):
        Reading(Safe("balance"), NOW, Safe(""))
    with pytest.raises(ValueError, match="either"):
        Reading(Safe("balance"), NOW, Safe(""), Decimal(1), Why.TIMEOUT)


@pytest.mark.parametrize(("age_s", "why"), [(60.0, None), (60.1, Why.TOO_OLD), (0.0, None), (-0.1, Why.CLOCK_SKEW)])
def test_a_reading_older_than_its_time_or_from_the_future_is_unknown(age_s: float, why: Why | None) -> None:
    reading = Reading(Safe("balance"), NOW - timedelta(seconds=age_s), Safe(""), Decimal(0))
    assert reading.at(NOW, 60.0).why is why


def test_an_unknown_reading_has_no_value_to_take_for_zero() -> None:
    assert unknown(Safe("balance"), NOW, Safe(""), Why.TIMEOUT).value is None


@pytest.mark.parametrize(
    "value", [True, None, "", "1_000", " 1", "NaN", "Infinity", Decimal("sNaN"), "1e99", 10**400, [], 0.1, "1" * 65]
)
def test_what_is_no_exact_amount_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="amount"):
        amount_of(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=8))
def test_an_amount_is_exactly_what_was_written(amount: Decimal) -> None:
    assert amount_of(f"{amount:f}") == amount_of(amount) == amount


def test_a_time_needs_its_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        moment_of("2026-03-01T12:00:00")
    assert moment_of("2026-03-01T13:00:00+01:00") == NOW == moment_of(int(NOW.timestamp()))
    assert moment_of(int(NOW.timestamp() * 1000)) == NOW


@pytest.mark.parametrize("value", [True, [], "soon", 10**25, Decimal("NaN"), "9999-12-31T23:59:59-23:00", None])
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".*"):
        moment_of(value)


def test_a_pointer_finds_what_stands_there_and_nothing_else() -> None:
    document = {"a": [{"b/c": None}], "": 1, "~": 2}
    assert at_pointer(document, "/a/0/b~1c") is None
    assert at_pointer(document, "/") == 1
    assert at_pointer(document, "/~0") == 2
    for pointer in ("/a/1", "/a/-1", "/a/00", "/a/b", "/x/y", "/a/0/b~1c/d", "/a/99999999999"):
        assert at_pointer(document, pointer) is MISSING
