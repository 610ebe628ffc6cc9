"""A server that is no longer fit for money stops claims, however it became so, and is told of."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from console.agent import AgentController, Settings
from console.store.server.connect import connect_sync
from tests.attacks.scene import QUICK, Scene
from tests.waiting import until

Start = Callable[..., Scene]
OFTEN = QUICK._replace(examine_ms=300)


@pytest.mark.parametrize(
    ("name", "unfit", "fit"),
    [
        ("maxmemory-policy", "volatile-lru", "noeviction"),
        ("maxmemory-policy", "allkeys-random", "noeviction"),
        ("appendonly", "no", "yes"),
    ],
)
def test_a_server_that_becomes_unfit_under_load_stops_claims_within_the_time_of_an_examination(
    own_scene: Start, name: str, unfit: str, fit: str
) -> None:
    scene = own_scene(maxmemory="100mb")
    controller = scene.agent(settings=OFTEN)
    assert scene.attempt(controller, "before") == "ok"
    scene.client.config_set(name, unfit)
    began, number = time.monotonic(), 0
    while scene.attempt(controller, f"load{number}") == "ok":
        number += 1
        assert time.monotonic() - began < 2.0, "it still claims"
    assert scene.attempt(controller, "more") == "StandBy"
    until(lambda: next(iter(scene.fence.heartbeats().values()))["ready"] is False, "the heartbeat to say so")
    scene.client.config_set(name, fit)
    until(lambda: scene.attempt(controller, "after") == "ok", "claims to go on", timeout_s=5)


def test_a_server_that_comes_back_unfit_is_examined_before_the_next_claim(own_scene: Start) -> None:
    """Restarted with another configuration: a new connection is examined, however long the last one holds."""
    scene = own_scene()
    assert scene.server is not None
    controller = scene.agent(settings=QUICK._replace(examine_ms=3_600_000))
    assert scene.attempt(controller, "before") == "ok"
    scene.server.kill()
    scene.server.options |= {"appendonly": "no"}
    scene.server.start()
    until(lambda: controller.core.unexamined, "the examination to find it", timeout_s=5)
    assert scene.attempt(controller, "after") in ("StandBy", "Halted")


def test_a_controller_with_a_wrong_address_says_so_and_never_points_at_switching_safety_off(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "console.agent"):
        controller = AgentController("redis://127.0.0.1:1", slot="blue", version="1", settings=QUICK)
        controller.start()
        try:
            with pytest.raises(Exception, match="not claimed") as refused, controller.action("bet"):
                pytest.fail("it must not run")
        finally:
            controller.stop()
    assert any("127.0.0.1:1" in record.getMessage() for record in caplog.records), caplog.text
    assert "127.0.0.1:1" in str(refused.value)
    assert "money=False" not in str(refused.value) + str(getattr(refused.value, "hint", ""))


@pytest.mark.parametrize("settings", [OFTEN._replace(replicas=1), OFTEN._replace(replicas=3)])
def test_too_few_replicas_permit_nothing(own_scene: Start, settings: Settings) -> None:
    scene = own_scene()
    controller = AgentController(scene.url, slot="blue", version="1", settings=settings)
    try:
        try:
            controller.start()
        except Exception as error:
            assert "replica" in str(error)
        assert scene.attempt(controller, "bet") in ("StandBy", "Halted") and not scene.executed
    finally:
        controller.stop()


def test_a_server_out_of_memory_refuses_claims_and_takes_results_and_halts(own_scene: Start) -> None:
    scene = own_scene()
    controller = scene.agent()
    with controller.action("held") as act:
        scene.client.config_set("maxmemory", "1")
        scene.executed["held"] += 1
        act.settle("sent")
    until(lambda: scene.open() == {}, "the result to be told")
    with pytest.raises(Exception), controller.action("next"):  # noqa: B017 - refused, in whatever words
        pytest.fail("it must not run")
    controller.halt("out of memory")
    assert scene.phase() == "HALT"
    scene.client.config_set("maxmemory", "0")


def test_a_server_that_refuses_writes_permits_nothing_and_loses_no_result(own_scene: Start) -> None:
    """`min-replicas-to-write`, or a disk that is full: reads go on, writes don't."""
    scene = own_scene()
    controller = scene.agent()
    with controller.action("held") as act:
        scene.client.config_set("min-replicas-to-write", "1")
        scene.executed["held"] += 1
        act.settle("sent")
    assert scene.attempt(controller, "next") != "ok" if controller.core.stale else True
    time.sleep(0.3)
    scene.client.config_set("min-replicas-to-write", "0")
    until(lambda: scene.open() == {}, "the result to be told", timeout_s=5)
    assert scene.attempt(controller, "held") == "AlreadyDone" and not scene.twice


def test_a_connection_that_is_killed_again_and_again_makes_nothing_twice(own_scene: Start) -> None:
    scene = own_scene()
    controller = scene.agent()
    killer: Any = connect_sync(scene.url, timeout_s=5.0, name="killer")
    for number in range(60):
        key = f"k{number % 20}"
        killer.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        scene.attempt(controller, key)
    until(
        lambda: all(scene.open().values()) and len(controller.spool) == 0, "every end to be told", despite=(Exception,)
    )
    assert not scene.twice
    killer.close()
