"""The demo's games: what comes does not know who bet, so both versions' decisions on a round can be priced."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from console.demo.games import CRASH_HARSH, CRASH_KIND, CRASH_KIND_UP_TO, brought, crash_point, play
from console.demo.prover import price
from console.domain.shadow.pricing import Priced

AMOUNT = Decimal("1.37")


@pytest.mark.parametrize(
    ("game", "bets"),
    [
        ("coin-flip", ({"side": "heads"}, {"side": "tails"})),
        ("dice", ({"call": "low"}, {"call": "high"})),
        ("crash", ({"cash_out": 2.0}, {"cash_out": 2.8})),
    ],
)
def test_a_round_comes_out_the_same_whoever_bet_and_each_bet_brings_what_is_paid(
    game: str, bets: tuple[dict[str, Any], ...]
) -> None:
    brought_both = set()
    for seed in range(200):
        rounds = [play(game, bet, AMOUNT, random.Random(seed)) for bet in bets]
        assert len({one.result for one in rounds}) == 1
        worth = [brought(bet, AMOUNT, rounds[0].result) for bet in bets]
        assert worth == [one.amount_won - AMOUNT for one in rounds]
        brought_both.add(tuple(one.won for one in rounds))
    assert len(brought_both) > 1


def test_a_crash_round_reaches_each_multiplier_with_the_odds_of_the_game() -> None:
    grid = [crash_point((number + 0.5) / 100_000) for number in range(100_000)]
    for wanted in (1.2, 2.0, CRASH_KIND_UP_TO, 2.8, 10.0):
        chance = (CRASH_KIND if wanted <= CRASH_KIND_UP_TO else CRASH_HARSH) / wanted
        assert sum(point >= wanted for point in grid) / len(grid) == pytest.approx(chance, abs=1e-4)


def test_a_bet_on_another_game_than_the_round_has_no_price() -> None:
    assert price({"side": "heads", "amount": 2.5}, "tails") == Priced(Decimal("-2.5"), Decimal("2.5"))
    for bet, came in (({"side": "heads"}, "37"), ({"call": "low"}, "heads"), ({"cash_out": 2.0}, ""), ({}, "heads")):
        assert price({**bet, "amount": 2.5}, came) is None
