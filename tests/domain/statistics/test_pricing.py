"""Both versions' priced decisions on a round take the market's part off its outcome; prices that tell who played
don't."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from math import sqrt
from statistics import median

import pytest

from console.domain.errors import UsageError
from console.domain.statistics.evidence import Form, Settings, Verdict
from console.domain.statistics.judge import Judge

SETTINGS = Settings(margin=0.05, sigma=1.0, lowest=-12.0, highest=12.0, share=0.2, sigma_canary=1.0)
EXPLAINED = 0.8


class Market:
    """Rounds in which the market explains so much of every outcome, whoever plays.

    Args:
        seed: of the draws.
        harm: by which the canary's return is lower.
        share: of the rounds that go to the canary.
    """

    def __init__(self, seed: int, harm: float = 0.0, share: float = 0.2) -> None:
        self._random = random.Random(seed)
        self._harm, self.share = harm, share

    def round(self) -> tuple[bool, float, tuple[float, float]]:
        """Whether the canary played, what came of it, and what the prices of both say."""
        market = self._random.gauss(0, 1) * sqrt(EXPLAINED)
        own = self._random.gauss(0, 1) * sqrt(1.0 - EXPLAINED)
        canary = self._random.random() < self.share
        return canary, market + own - (self._harm if canary else 0.0), (market - self._harm, market)


def lost_until_proven(seed: int, harm: float, *, priced: bool, share: float) -> float:
    """What the canary lost, in units at risk, until HARM was told."""
    settings = replace(SETTINGS, explained=EXPLAINED if priced else None, share=share)
    judge, market = Judge(settings), Market(seed, harm, share)
    while judge.evidence.verdict is not Verdict.HARM and judge.rounds_canary + judge.rounds_stable < 20_000:
        for _ in range(20):
            canary, value, prices = market.round()
            judge.round(canary, value, share, 1.0, prices if priced else None)
    assert judge.evidence.verdict is Verdict.HARM
    return judge.rounds_canary * harm


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_a_tenth_of_a_deviation_is_proven_with_a_third_of_the_loss_where_prices_explain_four_fifths(
    share: float,
) -> None:
    plain = median(lost_until_proven(seed, 0.1, priced=False, share=share) for seed in range(9))
    priced = median(lost_until_proven(seed, 0.1, priced=True, share=share) for seed in range(9))
    assert priced * 3.0 <= plain


def test_an_innocent_version_is_not_rolled_back_for_what_its_prices_say() -> None:
    harmed = 0
    for seed in range(40):
        judge, market = Judge(replace(SETTINGS, explained=EXPLAINED)), Market(seed)
        for count in range(2000):
            canary, value, prices = market.round()
            judge.round(canary, value, market.share, 1.0, (prices[0] - 0.5, prices[1]))  # it looks bad on paper
            harmed += not count % 50 and judge.evidence.verdict is Verdict.HARM
        assert not judge.priced_apart
    assert harmed == 0


def test_prices_that_say_nothing_cost_nothing() -> None:
    noise, with_prices, without = random.Random(5), Judge(SETTINGS), Judge(SETTINGS)
    market = Market(6)
    for _ in range(4000):
        canary, value, _prices = market.round()
        with_prices.round(canary, value, market.share, 1.0, (noise.gauss(0, 3), noise.gauss(0, 3)))
        without.round(canary, value, market.share, 1.0)
    widths = [judge.evidence.upper - judge.evidence.lower for judge in (with_prices, without)]
    assert widths[0] == pytest.approx(widths[1], rel=0.03)
    assert abs(with_prices.evidence.explained) < 0.02


def test_prices_that_differ_by_who_played_are_not_used_and_the_evidence_begins_anew() -> None:
    judge, market = Judge(SETTINGS), Market(7, harm=0.3)
    rounds = 0
    while not judge.priced_apart and rounds < 5000:
        rounds += 1
        canary, value, prices = market.round()
        # what was played has its real outcome for a price, what was not has a model's that hopes for more
        priced = (value, prices[1] + 0.5) if canary else (prices[0] + 0.5, value)
        judge.round(canary, value, market.share, 1.0, priced)
        assert judge.evidence.verdict is not Verdict.SAFE
    assert judge.priced_apart
    assert judge.evidence.rounds_canary + judge.evidence.rounds_stable == 1
    before = judge.evidence.priced
    judge.round(True, 0.1, market.share, 1.0, (0.1, 0.1))
    assert (judge.evidence.priced, judge.evidence.priced_apart) == (before, True)


def test_rounds_that_are_priced_now_and_then_count_all() -> None:
    judge, market = Judge(SETTINGS), Market(8)
    for count in range(900):
        canary, value, prices = market.round()
        judge.round(canary, value, market.share, 1.0, None if count % 3 else prices)
    assert judge.evidence.rounds_canary + judge.evidence.rounds_stable == 900
    assert judge.evidence.priced == 300
    assert judge.evidence.explained == pytest.approx(EXPLAINED, abs=0.1)


def test_an_absurd_price_counts_as_the_bound_and_as_one_beyond_it_and_a_price_that_is_none_is_refused() -> None:
    judge, capped, market = Judge(SETTINGS), Judge(SETTINGS), Market(9)
    for count in range(300):
        canary, value, prices = market.round()
        absurd = count == 100
        judge.round(canary, value, market.share, 1.0, (1e300, -1e300) if absurd else prices)
        capped.round(canary, value, market.share, 1.0, (12.0, -12.0) if absurd else prices)
    assert (judge.outside, capped.outside) == (1, 0)
    capped.outside = 1
    assert judge.state() == capped.state()
    with pytest.raises(UsageError):
        judge.round(True, 0.0, 0.2, 1.0, (float("nan"), 0.0))


def test_a_restart_goes_on_with_what_prices_have_shown_to_the_last_bit() -> None:
    lived, market = Judge(SETTINGS), Market(10)
    rounds = [market.round() for _ in range(400)]
    for canary, value, prices in rounds[:250]:
        lived.round(canary, value, market.share, 1.0, prices)
    restored = Judge(SETTINGS)
    restored.restore(json.loads(json.dumps(lived.state(), allow_nan=False)))
    for canary, value, prices in rounds[250:]:
        for judge in (lived, restored):
            judge.round(canary, value, market.share, 1.0, prices)
    assert restored.state() == lived.state()
    assert restored.evidence == lived.evidence


def test_a_state_from_before_prices_were_known_is_still_read() -> None:
    judge, market = Judge(SETTINGS), Market(11)
    for _ in range(100):
        canary, value, _prices = market.round()
        judge.round(canary, value, market.share)
    old = judge.state()
    del old["rounds"][3:]
    for strand in (old["strand"], [old["each"]]):
        del strand[0][5]
    restored = Judge(SETTINGS)
    restored.restore(json.loads(json.dumps(old)))
    assert restored.evidence == judge.evidence


def test_forms_that_do_not_adjust_make_nothing_of_prices() -> None:
    plain = replace(SETTINGS, form=Form.FIXED)
    priced, without = Judge(plain), Judge(plain)
    market = Market(12)
    for _ in range(200):
        canary, value, prices = market.round()
        priced.round(canary, value, market.share, 1.0, prices)
        without.round(canary, value, market.share)
    assert priced.evidence == without.evidence
