"""How figures are written: short, aligned, and never wrong in the last place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.views.format import (
    age_text,
    bytes_text,
    currency_text,
    decimal_text,
    iso_text,
    milliseconds_text,
    money_text,
    plural,
    rate_text,
    short_money_text,
    time_text,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0.0 s"),
        (0.34, "0.3 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (99.4, "99 s"),
        (99.6, "2 min"),
        (3600, "60 min"),
        (7200, "2 h"),
        (86400 * 3, "3 d"),
    ],
)
def test_an_age_has_at_most_two_figures_and_its_unit(seconds: float, text: str) -> None:
    assert age_text(seconds) == text


@given(st.floats(min_value=-1e9, max_value=8e7))
def test_an_age_fits_its_column(seconds: float) -> None:
    assert len(age_text(seconds)) <= 6


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("123.4", "+123.40"),
        ("-1204", "−1,204.00"),
        ("0", "0.00"),
        ("-0.00", "0.00"),
        ("0.005", "+0.005000"),
        ("-0.000001", "−0.000001"),
        ("1E+40", "+1.000E+40"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1E-30", "+1.000E−30"),
        ("-0.00000012", "−0.00000012"),
        ("0.00000031", "+0.00000031"),
        ("1234567.89", "+1,234,567.89"),
        ("0.01234567", "+0.0123"),
        ("-1E-15", "−0.000000000000001"),
    ],
)
def test_money_keeps_its_sign_and_its_cents(amount: str, text: str) -> None:
    assert money_text(Decimal(amount)) == text


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_no_amount_is_too_strange_or_too_long_to_be_written(amount: Decimal) -> None:
    assert len(money_text(amount)) <= 40
    assert len(decimal_text(amount)) <= 120


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
def test_a_program_reads_back_exactly_the_same_number(amount: Decimal) -> None:
    assert Decimal(decimal_text(amount)) == amount


def test_times_are_utc_with_milliseconds_for_programs_and_short_for_people() -> None:
    at = datetime(2026, 3, 14, 15, 3, 11, 250_999, tzinfo=UTC)
    assert iso_text(at) == "2026-03-14T15:03:11.250Z"
    assert time_text(at, at + timedelta(hours=1)) == "15:03:11"
    assert time_text(at, at + timedelta(days=1)) == "Mar 14"


def test_other_figures() -> None:
    assert [milliseconds_text(x) for x in (None, 0.42, 41, 999.6, 2300)] == ["–", "0.4 ms", "41 ms", "1.0 s", "2.3 s"]
    assert [rate_text(x) for x in (0, 0.01, 3.14, 1234)] == ["0.0/s", "0.6/min", "3.1/s", "1,234/s"]
    assert [bytes_text(x) for x in (512, 1400, 10_000_000_000)] == ["512 B", "1.4 kB", "10 GB"]
    assert [plural(1, "decision"), plural(1204, "decision")] == ["1 decision", "1,204 decisions"]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_an_amount_that_is_not_nothing_is_never_shown_as_nothing(amount: Decimal) -> None:
    text = money_text(amount)
    assert any(digit in text for digit in "123456789") == bool(amount)
    assert not amount or text[0] == ("+" if amount > 0 else "−")


def test_a_long_amount_is_shortened_and_never_cut() -> None:
    assert short_money_text(Decimal("-1234567.89")) == "−1,234,567.89"
    assert short_money_text(Decimal("12345678901234.5")) == "+12,345,678.90M"
    assert currency_text(Decimal("-0.00000012"), "BTC", dry=True) == "−0.00000012 BTC dry"
    assert currency_text(Decimal(5), "") == "+5.00"


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_no_amount_outgrows_its_column(amount: Decimal) -> None:
    assert len(currency_text(amount, "C" * 10, dry=True)) <= 36
