"""One Action is one attempt, whoever shares it; a nested or refused one never speaks for the one around it."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from console.agent import (
    ActionRefused,
    AgentController,
    AlreadyDone,
    Proposal,
)
from console.agent.fence.action import provider_key
from console.domain.errors import UsageError
from console.store.fence.calls import Limits
from tests.attacks.scene import QUICK, Scene
from tests.waiting import until


def test_an_action_that_is_entered_again_is_refused(scene: Scene, controller: AgentController) -> None:
    act: Any = controller.action("bet")
    with act:
        scene.executed["bet"] += 1
        act.settle("won")
    for _ in range(2):
        with pytest.raises(UsageError, match="one attempt"), act:
            pytest.fail("it must not run")


def test_an_action_entered_inside_itself_is_refused_and_goes_on(scene: Scene, controller: AgentController) -> None:
    act: Any = controller.action("bet")
    with act:
        with pytest.raises((UsageError, ActionRefused)), act:
            pytest.fail("it must not run")
        assert "bet" in controller.core.acting
        act.settle("won")
    assert scene.attempt(controller, "bet") == "AlreadyDone"


def test_an_action_entered_again_after_its_telling_was_lost_is_refused(own_scene: object) -> None:
    scene: Scene = own_scene()  # type: ignore[operator]
    assert scene.server is not None
    controller = scene.agent()
    act: Any = controller.action("bet")
    with act:
        scene.executed["bet"] += 1
        scene.server.hang()
        act.settle("won")
    with pytest.raises(UsageError), act:
        pytest.fail("it must not run")
    scene.server.wake()
    until(lambda: scene.open() == {}, "the result to be told")
    assert scene.attempt(controller, "bet") == "AlreadyDone" and not scene.twice


@pytest.mark.parametrize("trial", range(5))
def test_of_threads_that_share_one_action_one_at_most_executes(scene: Scene, trial: int) -> None:
    controller = scene.agent()
    act: Any = controller.action("bet")
    ready, answers = threading.Barrier(8), Counter[str]()

    def enter() -> None:
        ready.wait()
        try:
            with act:
                act.check()
                scene.executed["bet"] += 1
                act.settle("won")
        except (UsageError, ActionRefused) as refused:
            answers[type(refused).__name__] += 1

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scene.executed["bet"] == 1 and sum(answers.values()) == 7
    assert scene.attempt(controller, "bet") == "AlreadyDone"


def test_of_threads_that_want_the_same_keys_each_is_executed_once(scene: Scene, controller: AgentController) -> None:
    def work() -> None:
        for number in range(40):
            scene.attempt(controller, f"k{number}")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(scene.executed.values()) == 40 and not scene.twice and scene.open() == {}


def test_of_threads_that_end_one_action_differently_one_end_is_recorded(
    scene: Scene, controller: AgentController
) -> None:
    for trial in range(20):
        ready = threading.Barrier(2)
        with controller.action(f"k{trial}") as act:

            def end(how: str, barrier: threading.Barrier = ready, act: object = act) -> None:
                barrier.wait()
                with suppress(UsageError):
                    getattr(act, how)("told")

            threads = [threading.Thread(target=end, args=(how,)) for how in ("settle", "failed")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert scene.attempt(controller, f"k{trial}") == "AlreadyDone"
    assert scene.phase() == "RUN" and scene.open() == {}


def test_once_never_returns_the_result_of_another_key(scene: Scene, controller: AgentController) -> None:
    controller.once(Proposal("inner"), lambda _act: ("result of inner", Decimal(0)))

    def send(_act: object) -> tuple[object, Decimal]:
        with controller.action("inner"):
            pytest.fail("it must not run")
        return "result of outer", Decimal(0)

    try:
        answer = controller.once(Proposal("outer"), send)
    except AlreadyDone as inner:
        assert "inner" in str(inner)
    else:
        pytest.fail(f"once() returned {answer!r}")
    assert scene.open() == {"outer": True}  # it may have been sent: nobody knows


def test_a_refusal_inside_a_block_trips_nothing_and_the_outer_is_in_doubt(
    scene: Scene, controller: AgentController
) -> None:
    assert scene.attempt(controller, "inner") == "ok"
    with pytest.raises(AlreadyDone), controller.action("outer"), controller.action("inner"):
        pytest.fail("it must not run")
    assert scene.phase() == "RUN", scene.client.xrevrange(scene.fence.keys.log, count=1)
    assert scene.open() == {"outer": True}


def test_slow_actions_that_were_settled_trip_no_wire_of_doubts(scene: Scene) -> None:
    scene.fence.set_limits(Limits(doubts=3), by="op")
    controller, other = scene.agent(settings=QUICK._replace(lease_ms=150, margin_ms=10)), scene.agent()
    for number in range(4):
        with controller.action(f"slow{number}") as act:
            until(lambda number=number: scene.open().get(f"slow{number}"), "its lease to end")
            act.settle("done after all")
    assert scene.phase() == "RUN" and scene.open() == {} and other.active


def test_no_agent_and_key_share_another_ones_key_for_the_venue() -> None:
    pairs = [
        ("x", "y-z"),
        ("x-y", "z"),
        ("x", "y_z"),
        ("x_y", "z"),
        ("", "x-y-z"),
        ("x-y-z", ""),
        ("1", "1x"),
        ("11", "x"),
    ]
    assert len({provider_key(*pair) for pair in pairs}) == len(pairs)
