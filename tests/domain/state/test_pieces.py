"""A state in pieces: what is put together again is what was cut, and only what changed is new."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings

from console.domain.errors import Refused
from console.domain.state.pieces import Cutter, joined
from console.domain.state.state import State
from tests.domain.state.test_state import EXAMPLE, states


@given(states, states)
@settings(max_examples=6, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
def test_what_was_cut_is_put_together_again_whatever_was_cut_before(first: State, second: State) -> None:
    cutter = Cutter()
    for state in (first, second, first):
        cut = cutter.cut(state)
        assert cut == Cutter().cut(state)
        assert joined(cut.pieces, cut.texts, state.timestamp, "x") == state


def test_only_the_pieces_around_a_change_are_new() -> None:
    state = State(signals=[{"n": number, "score": Decimal("0.10"), "words": "w" * 100} for number in range(5_000)])
    cutter = Cutter()
    before = cutter.cut(state).pieces
    assert state.signals is not None
    changed = [*state.signals]
    changed.insert(2_000, {"n": -1})
    after = cutter.cut(replace(state, signals=changed)).pieces
    assert len(before.hashes) > 200
    assert len(set(after.hashes) - set(before.hashes)) <= 2


def test_the_same_content_at_another_time_is_the_same_pieces() -> None:
    assert Cutter().cut(EXAMPLE).pieces == Cutter().cut(replace(EXAMPLE, timestamp=1)).pieces


def test_a_state_that_is_too_large_is_refused_and_not_cut_short() -> None:
    with pytest.raises(Refused, match="more than 100000 bytes"):
        Cutter(100_000).cut(replace(EXAMPLE, extra={"book": "x" * 100_000}))


def test_a_secret_deep_in_a_large_state_is_refused() -> None:
    deep = {f"k{number}": {"n": number} for number in range(100)} | {"api_key": "pf_live_1234567890abcdef"}
    with pytest.raises(Refused, match=r"extra\.venue"):
        Cutter().cut(replace(EXAMPLE, extra={"venue": deep, **{f"x{n}": n for n in range(20)}}))


@pytest.mark.parametrize("damage", ["missing", "changed", "list", "layout"])
def test_pieces_that_are_not_what_was_kept_are_refused(damage: str) -> None:
    cut = Cutter().cut(EXAMPLE)
    pieces, texts = cut.pieces, dict(cut.texts)
    if damage == "missing":
        del texts[pieces.hashes[-1]]
    elif damage == "changed":
        texts[pieces.hashes[0]] += b" "
    elif damage == "list":
        pieces = pieces._replace(hashes=pieces.hashes[:-1])
    else:
        pieces = pieces._replace(layout=pieces.layout.replace("extra", "signals"))
    with pytest.raises(Refused, match="damaged"):
        joined(pieces, texts, EXAMPLE.timestamp, "x")
