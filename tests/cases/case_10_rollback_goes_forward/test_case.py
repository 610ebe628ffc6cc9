"""A roll back never moves forward: who rolls back after a roll back is told who did it, and nothing moves.

From kubernetes/website#6921.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.cases.situation import Situation
from tests.processes import Process


def test_an_operator_who_rolls_back_after_the_guard_is_refused(situation: Callable[..., Situation]) -> None:
    scene = situation()
    scene.both()
    scene.guard()
    scene.both()
    scene.fault()
    answer = scene.cli("rollback", "--yes", "--reason", "PnL falls")
    assert answer.code == 4
    assert "blue has been active since" in answer.err
    assert "a roll back by guard" in answer.err
    assert "`switch green` moves forward" in answer.err
    assert scene.status["active"] == "blue"


def test_of_two_operators_who_roll_back_at_once_neither_moves_forward(situation: Callable[..., Situation]) -> None:
    scene = situation()
    both = [Process("console", "--url", scene.url, "--who", who, "rollback", "--yes") for who in ("ann", "bob")]
    codes = []
    for one in both:
        with one:
            codes.append(one.wait())
    assert sorted(codes) in ([0, 0], [0, 4])  # who looked before the other had moved finds their wish fulfilled
    if 4 in codes:
        assert "blue has been active since" in "\n".join(line for one in both for line in one.errors)
    assert scene.status["active"] == "blue"
