"""The short form of the guard's benchmark: the vectorised rule is the real one, and the promised rate holds."""

from decimal import Decimal

import numpy as np
import pytest

from console.domain.triggers.finding import Arming, Response, Verdict
from console.domain.triggers.pnl import judge_pnl
from console.domain.triggers.rounds import PnlWindow
from console.domain.triggers.settings import TriggerSettings
from tests.simulate.guard import NEVER, play
from tests.simulate.shapes import SHAPES, Floats, Shape

SETTINGS = TriggerSettings(pnl_freeze=Arming.ARMED)


def real(before: Floats, after: Floats) -> tuple[int, int]:
    old, new = PnlWindow(SETTINGS), PnlWindow(SETTINGS)
    for value in before:
        old.add(0.0, Decimal(float(value)), "")
    baseline = old.frozen()
    harm = frozen = NEVER
    for number, value in enumerate(after, 1):
        new.add(0.0, Decimal(float(value)), "")
        view = judge_pnl("USD", new, baseline, SETTINGS)
        if view.verdict is Verdict.HARM:
            harm = min(harm, number)
        if view.response is Response.FREEZE:
            frozen = min(frozen, number)
    return harm, frozen


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_vectorised_rule_is_the_real_one_round_by_round(shape: Shape) -> None:
    rng = np.random.default_rng(21)
    before, after = shape.draw(rng, (4, 200)), shape.draw(rng, (4, 600)) - np.array([[0.0], [0.3], [0.6], [1.0]])
    fired = play(SETTINGS, before, after)
    for run in range(4):
        harm, frozen = real(before[run], after[run])
        assert harm == fired.harm[run]
        if harm == NEVER:  # a round that is harm is not called frozen as well
            assert frozen == fired.frozen[run]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_version_like_the_old_one_is_rarely_rolled_back_and_one_that_loses_a_deviation_a_round_is(
    shape: Shape,
) -> None:
    rng = np.random.default_rng(22)
    before, after = shape.draw(rng, (200, 300)), shape.draw(rng, (200, 2000))
    assert (play(SETTINGS, before, after).harm < NEVER).mean() <= SETTINGS.pnl_alpha
    assert (play(SETTINGS, before, after - 1.0).harm < NEVER).mean() >= 0.98
