"""A store that lost data, by whatever way, is halted before a key that it forgot is executed again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.agent import AgentController
from console.store.fence.calls import SwitchRequest
from tests.attacks.scene import QUICK, Scene
from tests.servers import Server
from tests.waiting import until

Start = Callable[..., Scene]
FILES = ("appendonlydir", "dump.rdb")


def copy(server: Server, to: Path) -> None:
    """Put the server's data aside, as a backup does."""
    for name in FILES:
        path = server.folder / name
        if path.is_dir():
            shutil.copytree(path, to / name)
        elif path.exists():
            shutil.copy(path, to / name)


def put_back(server: Server, backup: Path) -> None:
    """Kill the server and start it with older data."""
    server.kill()
    for name in FILES:
        path = server.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.unlink(missing_ok=True)
    for path in backup.iterdir():
        (shutil.copytree if path.is_dir() else shutil.copy)(path, server.folder / path.name)
    server.start()


OPTIONS: dict[str, dict[str, str]] = {
    "append-only file": {},
    "everysec": {"appendfsync": "everysec"},
    "RDB": {"appendonly": "no", "save": "3600 1"},
}
NO_MONEY = QUICK._replace(money=False)


def back_up(scene: Scene, folder: Path) -> None:
    assert scene.server is not None
    if scene.server.options.get("save"):
        scene.client.save()
    folder.mkdir()
    copy(scene.server, folder)


def resumed(scene: Scene) -> None:
    """An operator has seen the evidence and begins anew."""
    scene.fence.switch(SwitchRequest("blue", expected_epoch="any", by="op", why="the loss is known", resume=True))


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_older_data_put_back_within_one_epoch_halts_under_running_agents(
    own_scene: Start, tmp_path: Path, options: dict[str, str]
) -> None:
    scene = own_scene(**options)
    assert scene.server is not None
    controller = scene.agent(settings=NO_MONEY)
    scene.attempt(controller, "before")
    back_up(scene, tmp_path / "backup")
    assert scene.attempt(controller, "paid") == "ok"
    put_back(scene.server, tmp_path / "backup")
    for _ in range(5):
        assert scene.attempt(controller, "paid") in ("Halted", "StandBy")
    until(lambda: scene.phase() == "HALT", "the store to be halted")
    assert not scene.twice and controller.core.lost
    resumed(scene)
    until(lambda: not controller.core.lost, "the agent to go on")
    assert scene.attempt(controller, "new") == "ok" and scene.attempt(controller, "before") == "AlreadyDone"


def test_a_result_that_waits_is_told_to_a_store_that_went_back_before_anybody_resumes(
    own_scene: Start, tmp_path: Path
) -> None:
    """Else whoever is quicker after the resume executes the key once more."""
    scene = own_scene()
    assert scene.server is not None
    controller = scene.agent(settings=NO_MONEY)
    scene.attempt(controller, "before")
    back_up(scene, tmp_path / "backup")
    with controller.action("paid") as act:
        scene.server.kill()
        act.settle("executed")
    assert len(controller.spool) == 1
    put_back(scene.server, tmp_path / "backup")
    until(lambda: scene.phase() == "HALT", "the store to be halted")
    until(lambda: len(controller.spool) == 0, "the result to be told")
    assert scene.phase() == "HALT"
    resumed(scene)
    other = scene.agent(settings=NO_MONEY)
    until(lambda: other.active, "another to act")
    assert scene.attempt(other, "paid") == "AlreadyDone"


def test_older_data_put_back_across_epochs_halts(own_scene: Start, tmp_path: Path) -> None:
    scene = own_scene()
    assert scene.server is not None
    controller = scene.agent()
    back_up(scene, tmp_path / "backup")
    for side in ("green", "blue"):
        scene.fence.switch(SwitchRequest(side, expected_epoch="any", by="op"))  # type: ignore[arg-type]
    until(lambda: controller.active, "blue to be active again")
    assert scene.attempt(controller, "paid") == "ok"
    put_back(scene.server, tmp_path / "backup")
    assert scene.attempt(controller, "paid") in ("Halted", "StandBy")
    until(lambda: scene.phase() == "HALT", "the store to be halted")
    assert not scene.twice


@pytest.mark.parametrize("fresh_first", [False, True], ids=["one that remembers", "one without memory beside it"])
def test_older_data_put_back_while_nobody_runs_halts_as_soon_as_one_that_remembers_starts(
    own_scene: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_first: bool
) -> None:
    scene = own_scene()
    assert scene.server is not None
    first = scene.agent()
    scene.attempt(first, "before")
    back_up(scene, tmp_path / "backup")
    assert scene.attempt(first, "paid") == "ok"
    first.stop()
    put_back(scene.server, tmp_path / "backup")
    fresh = scene.agent("green", settings=QUICK._replace(memory_dir=None)) if fresh_first else None
    again = scene.agent()
    assert scene.phase() == "HALT"
    assert scene.attempt(again, "paid") == "Halted" and not scene.twice
    if fresh is not None:
        assert scene.attempt(fresh, "paid") in ("Halted", "StandBy")
    assert not scene.twice


def test_a_killed_agents_memory_outlives_it(own_scene: Start, tmp_path: Path) -> None:
    """Neither goodbye nor flush: kill -9, the data is put back, and the next process knows."""
    from tests.attacks.scene import run

    scene = own_scene()
    assert scene.server is not None
    back_up(scene, tmp_path / "backup")
    run(
        """
        import os, sys
        from console.agent import AgentController
        controller = AgentController(sys.argv[1], slot="blue", version="1")
        controller.start()
        with controller.action("paid") as act:
            act.settle("sent")
        os._exit(0)
        """,
        scene.url,
    )
    scene.executed["paid"] += 1
    put_back(scene.server, tmp_path / "backup")
    assert scene.attempt(scene.agent(), "paid") == "Halted" and not scene.twice


def test_a_claim_that_the_store_forgot_is_known_by_its_number_alone(own_scene: Start, tmp_path: Path) -> None:
    """No heartbeat came between the claim and the loss: its number was kept when it was granted."""
    scene = own_scene()
    assert scene.server is not None
    controller = scene.agent(settings=QUICK._replace(heartbeat_ms=60_000, stale_after_ms=120_000, lease_ms=20_000))
    back_up(scene, tmp_path / "backup")
    assert scene.attempt(controller, "paid") == "ok"
    put_back(scene.server, tmp_path / "backup")
    assert scene.attempt(controller, "paid") in ("Halted", "StandBy")
    assert scene.attempt(controller, "paid") == "Halted" and not scene.twice


def test_the_last_second_of_an_append_only_file_that_is_cut_halts(own_scene: Start) -> None:
    """What `everysec` loses when a machine dies: the end of the file, here to the middle of a command."""
    scene = own_scene(appendfsync="everysec", aof_load_truncated="yes")
    assert scene.server is not None
    controller = scene.agent()
    for number in range(20):
        assert scene.attempt(controller, f"k{number}") == "ok"
    scene.server.kill()
    (path,) = (scene.server.folder / "appendonlydir").glob("*.incr.aof")
    raw = path.read_bytes()
    path.write_bytes(raw[: raw.rindex(b"k17")])
    scene.server.start()
    answers = {scene.attempt(controller, f"k{number}") for number in range(20)}
    assert answers <= {"Halted", "StandBy", "AlreadyDone"} and not scene.twice
    until(lambda: scene.phase() == "HALT", "the store to be halted")


def test_a_server_without_persistence_that_comes_back_empty_halts(own_scene: Start) -> None:
    scene = own_scene(appendonly="no")
    assert scene.server is not None
    controller = scene.agent(settings=NO_MONEY)
    assert scene.attempt(controller, "paid") == "ok"
    scene.server.restart()
    assert scene.attempt(controller, "paid") in ("Halted", "StandBy")
    until(lambda: scene.phase() == "HALT", "the store to be halted")
    assert scene.attempt(controller, "paid") == "Halted" and not scene.twice


def test_a_store_that_went_back_and_ran_on_in_other_hands_is_found_out(own_scene: Start, tmp_path: Path) -> None:
    """Somebody without memory has claimed more since than was lost: the numbers fit, the entries do not."""
    scene = own_scene()
    assert scene.server is not None
    controller = scene.agent()
    scene.attempt(controller, "before")
    back_up(scene, tmp_path / "backup")
    assert scene.attempt(controller, "paid") == "ok"
    seen = controller.core.beaten_at
    until(lambda: controller.core.beaten_at > seen, "a heartbeat that saw it")
    controller.stop()
    put_back(scene.server, tmp_path / "backup")
    stranger = scene.agent(settings=QUICK._replace(memory_dir=None))
    for number in range(5):
        assert scene.attempt(stranger, f"other{number}") == "ok"
    again = scene.agent()
    assert scene.phase() == "HALT" and scene.attempt(again, "paid") == "Halted" and not scene.twice
    assert scene.attempt(stranger, "more") in ("Halted", "StandBy")


def test_a_restart_that_lost_nothing_halts_nothing(own_scene: Start) -> None:
    scene = own_scene()
    assert scene.server is not None
    controller = scene.agent()
    for number in range(3):
        assert scene.attempt(controller, f"k{number}") == "ok"
        scene.server.restart()
        until(lambda number=number: scene.attempt(controller, f"again{number}") == "ok", "the agent to go on")
    assert scene.phase() == "RUN" and not controller.core.lost


def test_an_archive_of_old_actions_is_no_loss(scene: Scene, controller: AgentController) -> None:
    for number in range(10):
        scene.attempt(controller, f"k{number}")
    newest: Any = scene.client.xrevrange(scene.fence.keys.actions, count=1)[0][0]
    scene.client.xtrim(scene.fence.keys.actions, minid=newest)
    again = scene.agent()
    assert scene.attempt(again, "next") == "ok" and scene.phase() == "RUN"


def test_what_a_store_lost_is_known_to_whoever_starts_until_an_operator_begins_anew(
    own_scene: Start, tmp_path: Path
) -> None:
    """Halted stays halted over restarts of agents and of the server; a switch without a reason does not lift it."""
    scene = own_scene()
    assert scene.server is not None
    controller = scene.agent()
    back_up(scene, tmp_path / "backup")
    scene.attempt(controller, "paid")
    put_back(scene.server, tmp_path / "backup")
    until(lambda: scene.phase() == "HALT", "the store to be halted")
    controller.stop()
    scene.server.restart()
    again = scene.agent()
    scene.fence.switch(SwitchRequest("blue", expected_epoch="any", by="op"))
    assert scene.phase() == "HALT" and scene.attempt(again, "paid") == "Halted"
    resumed(scene)
    until(lambda: scene.attempt(again, "next") == "ok", "the agent to go on", timeout_s=5)
    third = scene.agent()
    assert scene.attempt(third, "third") == "ok" and scene.phase() == "RUN"
