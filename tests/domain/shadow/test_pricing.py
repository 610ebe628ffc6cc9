"""Priced rounds add up in money and per usual stake; one that can be no result changes nothing."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from console.domain.shadow.pairs import PairSums
from console.domain.shadow.pricing import Priced, Pricing, priced


def money(value: float) -> Decimal:
    return Decimal(str(round(value, 6)))


def played(rounds: int, *, edge: float, live: float, shadow: float, worse: float = 0.0, seed: int = 1) -> Pricing:
    """Both versions on the same rounds, at stakes of their own."""
    chance, pricing = random.Random(seed), Pricing()
    for _ in range(rounds):
        won = chance.gauss(edge, 1.0)
        own = won - worse + chance.gauss(0.0, 0.2)
        pricing.add(Priced(money(live * own), money(live)), Priced(money(shadow * won), money(shadow)))
    return pricing


@pytest.mark.parametrize("live", [2.5, 10.0])
@pytest.mark.parametrize("edge", [0.3, -0.3])
def test_a_version_that_stakes_otherwise_at_an_equal_edge_is_no_worse_per_usual_stake(live: float, edge: float) -> None:
    harmed = 0
    for seed in range(20):
        returned = played(400, edge=edge, live=live, shadow=5.0, seed=seed).returned
        harmed += returned.bounds(0.05, 500.0)[1] < 0.0
    assert harmed <= 1


def test_harm_at_another_stake_is_harm() -> None:
    returned = played(300, edge=0.3, live=10.0, shadow=5.0, worse=0.2).returned
    assert returned.bounds(0.05, 500.0)[1] < 0.0


@pytest.mark.parametrize("absurd", [Decimal("1e30"), Decimal("-1e30")])
@pytest.mark.parametrize("where", [0, 9, 100])
def test_an_absurd_price_is_counted_as_none_and_the_others_are_judged(absurd: Decimal, where: int) -> None:
    pricing, chance = Pricing(), random.Random(2)
    for number in range(200):
        pricing.add(Priced(money(chance.gauss(-0.5, 1.0))), Priced(absurd if number == where else Decimal(0)))
    assert (pricing.unpriced, pricing.pairs.rounds) == (1, 199)
    assert pricing.pairs.bounds(0.05, 500.0)[1] < 0.0
    assert abs(pricing.shadow_pnl) == 0


@pytest.mark.parametrize(
    ("price", "read"),
    [
        (Decimal("1.5"), Priced(Decimal("1.5"))),
        (3, Priced(Decimal(3))),
        (Priced(Decimal(1), Decimal(5)), Priced(Decimal(1), Decimal(5))),
        (Priced(Decimal(1), Decimal(0)), Priced(Decimal(1), Decimal(0))),
        (None, None),
        (1.5, None),
        (True, None),
        ("5", None),
        (Decimal("1e18"), None),
        (10**400, None),
        (Decimal("-1e-19"), Priced(Decimal("-1e-18"))),
        (Decimal("NaN"), None),
        (Decimal("Infinity"), None),
        (Priced(Decimal(1), Decimal(-5)), None),
        (Priced(Decimal(1), Decimal("NaN")), None),
        ((Decimal(1), Decimal(5)), None),
    ],
)
def test_a_price_is_an_amount_or_none(price: Any, read: Priced | None) -> None:
    assert priced(price) == read


def test_a_round_that_a_version_stayed_out_of_is_nothing_won_and_no_stake() -> None:
    pricing = Pricing()
    pricing.add(Priced(Decimal(-5), Decimal(5)), Priced(Decimal(0)))
    pricing.add(Priced(Decimal(5), Decimal(5)), Priced(Decimal(2), Decimal(4)))
    assert pricing.returned == PairSums().add(-1.0).add(0.5)
    assert pricing.own == PairSums().add(0.5)


def test_rounds_without_stakes_are_compared_in_money_alone() -> None:
    pricing = Pricing()
    pricing.add(Priced(Decimal(1)), Priced(Decimal(2)))
    assert (pricing.pairs.rounds, pricing.returned.rounds, pricing.own.rounds) == (1, 0, 0)
