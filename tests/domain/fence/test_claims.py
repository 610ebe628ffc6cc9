"""Money as whole millionths, and the records of claims."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import UsageError
from console.domain.fence.claims import MAX_MICROS, Level, from_micros, parse_done, parse_open, to_micros


@given(st.integers(-MAX_MICROS, MAX_MICROS))
def test_every_countable_amount_survives_the_store(micros: int) -> None:
    assert to_micros(from_micros(micros)) == micros


@pytest.mark.parametrize("text", ["0.0000001", "0.1000000000000000000000000000000001", "1e-300"])
def test_an_amount_finer_than_a_millionth_is_refused_and_not_rounded(text: str) -> None:
    with pytest.raises(UsageError, match="finer"):
        to_micros(Decimal(text))


@pytest.mark.parametrize("text", ["9000000000.000001", "-9000000001", "1e999999", "Infinity", "NaN", "sNaN"])
def test_an_amount_that_can_not_be_added_up_exactly_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        to_micros(Decimal(text))


@pytest.mark.parametrize("raw", [b"", b"a\nb", b"\n" * 11, b"\xff\xfe"])
def test_a_record_that_is_no_record_is_an_error_and_not_a_claim(raw: bytes) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        parse_open(b"k", raw)
    with pytest.raises((ValueError, ArithmeticError)):
        parse_done(raw)


def test_levels_rank_from_none_to_halt_and_unknown_ranks_err_to_the_nearest() -> None:
    assert [level.rank for level in Level] == [0, 1, 2, 3]
    assert Level.of_rank(9) is Level.HALT
