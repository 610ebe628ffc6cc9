"""Whatever lies in a spool's folder, and whatever the disk does: results are sent or shown, and no heart dies."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.agent import AgentController
from console.agent.fence.settings import Settings
from console.store.fence.blocking import Fence
from tests.attacks.scene import QUICK, Scene, run
from tests.waiting import until


def left_behind(scene: Scene, folder: Path, key: str = "bet") -> Path:
    """What a process left that died while the store was away; its file."""
    run(
        """
        import os, sys
        from pathlib import Path
        from console.agent import AgentController, Settings
        from console.domain.errors import StoreUnreachable
        def away(*_):
            raise StoreUnreachable("away", "")
        settings = Settings(lease_ms=1500, margin_ms=100, spool_dir=Path(sys.argv[2]))
        controller = AgentController(sys.argv[1], slot="blue", version="1", settings=settings)
        controller.start()
        with controller.action(sys.argv[3]) as act:
            controller._link.run = controller._service._pulse_link.run = away
            act.settle("won")
        os._exit(0)
        """,
        scene.url,
        str(folder),
        key,
    )
    (path,) = (path for path in folder.glob("*.spool") if path.stat().st_size)
    return path


def alive(scene: Scene, controller: AgentController, key: str = "next") -> None:
    seen = controller.core.beaten_at
    until(lambda: controller.core.beaten_at > seen, "the next heartbeat")
    assert scene.attempt(controller, key) == "ok" and not controller.core.defects, controller.core.defects


def settings(folder: Path) -> Settings:
    return QUICK._replace(spool_dir=folder)


POISON = {
    "nonsense": b"nonsense\n",
    "nothing": b"\n\n\n",
    "zeros": b"\0" * 4096,
    "a number": b"5\n",
    "a list": b"[]\n",
    "an empty object": b"{}\n",
    "a deep object": b"[" * 100_000 + b"\n",
    "half a line": b'{"intent":{"key":"bet","claim_id":"x',
    "an intent of other fields": b'{"intent":{"key":"x","nobody":1,"amount":"1","direction":"enter"}}\n',
    "an intent that is null": b'{"intent":null,"outcome":"ok","result":"","pnl":"0","retention_ms":0,"trigger":""}\n',
    "a huge number": b'{"intent":{"amount":"1e999999999999"}}\n',
    "no UTF-8": b"\xff\xfe\n",
    "half an emoji": b'{"intent":"\\ud83d"}\n',
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
def test_a_poisoned_line_stands_in_nobodys_way(scene: Scene, tmp_path: Path, poison: bytes) -> None:
    """It is set aside, the result before and the one after it are sent, and every process starts."""
    path = left_behind(scene, tmp_path)
    good = path.read_bytes()
    (tmp_path / "other.spool").write_bytes(poison + (b"\n" if not poison.endswith(b"\n") else b"") + good)
    path.unlink()
    controller = scene.agent(settings=settings(tmp_path))
    until(lambda: scene.open() == {}, "the good line to be sent", timeout_s=5)
    assert scene.attempt(controller, "bet") == "AlreadyDone"
    alive(scene, controller)
    until(lambda: not (tmp_path / "other.spool").exists(), "the file to be taken over", timeout_s=5)
    scene.agent(settings=settings(tmp_path))


VALUES: dict[str, dict[str, Any]] = {
    "pnl of NaN": {"pnl": "NaN"},
    "pnl of infinity": {"pnl": "Infinity"},
    "too fine a pnl": {"pnl": "1e-30"},
    "too much pnl": {"pnl": "1e30"},
    "another outcome": {"outcome": "perhaps"},
    "a negative retention": {"retention_ms": -5},
    "an absurd retention": {"retention_ms": 10**30},
    "half an emoji": {"result": "x\ud800"},
    "a result of 10 MB": {"result": "x" * 10_000_000},
    "a trigger of two lines": {"trigger": "a\nb"},
}
INTENTS: dict[str, dict[str, Any]] = {
    "a key of two lines": {"key": "a\nb"},
    "an int key": {"key": 5},
    "a null claim": {"claim_id": None},
    "an epoch of text": {"epoch": "x"},
    "an instance of two lines": {"instance": "a\nb"},
    "a slot that is none": {"slot": "red\n"},
    "an amount of NaN": {"amount": "NaN"},
    "a negative amount": {"amount": "-1"},
}


@pytest.mark.parametrize(
    ("values", "intent"),
    [(values, {}) for values in VALUES.values()] + [({}, intent) for intent in INTENTS.values()],
    ids=[*VALUES, *INTENTS],
)
def test_a_line_that_the_store_can_not_take_is_set_aside_or_sent_and_the_next_is_sent(
    scene: Scene, tmp_path: Path, values: dict[str, Any], intent: dict[str, Any]
) -> None:
    path = left_behind(scene, tmp_path)
    good = path.read_bytes()
    body = json.loads(good)
    body |= values
    body["intent"] |= {"key": "other", "claim_id": "ffffffffffffffff00000001"} | intent
    path.write_bytes(json.dumps(body).encode() + b"\n" + good)
    controller = scene.agent(settings=settings(tmp_path))
    until(lambda: "bet" not in scene.open(), "the good line to be sent", timeout_s=5)
    assert scene.attempt(controller, "bet") == "AlreadyDone"
    until(lambda: len(controller.spool) == 0, "the spool to be empty", timeout_s=5)
    assert not controller.core.defects
    refused = list(tmp_path.glob("*.refused"))
    told = [event for _id, event in scene.client.xrange(scene.fence.keys.log) if event[b"k"] == b"late"]
    assert refused or told or "other" in scene.open(), "it is gone without a trace"


STRANGE: dict[str, Callable[[Path], object]] = {
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "an empty file": lambda path: path.touch(),
    "a long name": lambda path: path.with_name("x" * 240 + ".spool").touch(),
    "a name of no UTF-8": lambda path: Path(os.fsdecode(os.fsencode(path.parent) + b"/\xff\xfe.spool")).touch(),
}


@pytest.mark.parametrize("late", [False, True], ids=["at the start", "while it runs"])
@pytest.mark.parametrize("make", STRANGE.values(), ids=STRANGE.keys())
def test_whatever_is_named_like_a_spool_hinders_nobody(
    scene: Scene, tmp_path: Path, make: Callable[[Path], object], late: bool
) -> None:
    if not late:
        make(tmp_path / "backup.spool")
    controller = scene.agent(settings=settings(tmp_path))
    if late:
        make(tmp_path / "backup.spool")
    alive(scene, controller, "one")
    alive(scene, controller, "two")


LOSE: dict[str, Callable[[Path], object]] = {
    "the file is removed": lambda folder: [path.unlink() for path in folder.iterdir()],
    "the folder is renamed": lambda folder: folder.rename(folder.with_name("gone")),
    "the file is emptied": lambda folder: [os.truncate(path, 0) for path in folder.iterdir()],
    "the file is replaced": lambda folder: [
        (folder / "new").write_bytes(b"nonsense\n"),
        [(folder / "new").replace(path) for path in list(folder.glob("*.spool"))],
    ],
}


@pytest.mark.parametrize("lose", LOSE.values(), ids=LOSE.keys())
def test_a_spool_that_is_taken_away_loses_no_result_of_a_living_process(
    own_scene: Callable[..., Scene], tmp_path: Path, lose: Callable[[Path], object]
) -> None:
    scene = own_scene()
    assert scene.server is not None
    folder = tmp_path / "spool"
    controller = scene.agent(settings=settings(folder))
    with controller.action("bet") as act:
        scene.server.hang()
        act.settle("won")
    lose(folder)
    scene.server.wake()
    until(lambda: scene.open() == {}, "the result to be sent", timeout_s=10)
    alive(scene, controller)
    assert scene.attempt(controller, "bet") == "AlreadyDone"


FULL = """
    import logging, os, resource, signal, sys, time
    from pathlib import Path
    from console.agent import ActionRefused, AgentController, Settings
    logging.disable()
    from console.domain.errors import StoreUnreachable

    settings = Settings(lease_ms=60000, heartbeat_ms=100, spool_dir=Path(sys.argv[2]))
    controller = AgentController(sys.argv[1], slot="blue", version="1", settings=settings)
    controller.start()
    run, pulse = controller._link.run, controller._service._pulse_link.run
    away = True

    def broken(real):
        def call(work):
            if away:
                raise StoreUnreachable("away", "")
            return real(work)
        return call

    with controller.action("first") as first, controller.action("second") as second:
        controller._link.run, controller._service._pulse_link.run = broken(run), broken(pulse)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        first.settle("won")
        second.settle("lost")
    assert controller.spool.problem and len(controller.spool) == 2
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    away = False
    controller._service.wake()
    ended = time.monotonic() + 10
    while len(controller.spool) and time.monotonic() < ended:
        time.sleep(0.01)
    assert not len(controller.spool) and not controller.core.defects
    for key, result in (("first", "won"), ("second", "lost")):
        try:
            with controller.action(key):
                raise AssertionError
        except ActionRefused as refused:
            assert refused.done.result == result
    time.sleep(0.3)
    assert not controller.spool.problem
    controller.stop()
    print("sent")
"""


def test_on_a_full_disk_results_wait_in_memory_and_are_sent(scene: Scene, tmp_path: Path) -> None:
    """The system says so by a limit on a file's size: half a line, then none."""
    assert "sent" in run(FULL, scene.url, str(tmp_path))


def test_a_disk_that_has_room_again_holds_what_waited_in_memory(scene: Scene, tmp_path: Path) -> None:
    """What was kept in memory alone is on the disk as soon as it has room, before the process can die with it."""
    code = (
        FULL.split("    away = False")[0]
        + """
    controller._service.wake()
    time.sleep(0.5)
    os._exit(0)
    """
    )
    run(code, scene.url, str(tmp_path))
    (path,) = tmp_path.glob("*.spool")
    assert {json.loads(line)["intent"]["key"] for line in path.read_bytes().splitlines()} == {"first", "second"}


def test_one_that_can_not_be_looked_at_does_not_make_another_be_sent_for_ever(scene: Scene, tmp_path: Path) -> None:
    """A dead process's file is taken over once, whatever lies beside it."""
    path = left_behind(scene, tmp_path)
    (tmp_path / "0.spool").symlink_to("/proc/self/mem")  # can be opened, but not read
    controller = scene.agent(settings=settings(tmp_path))
    until(lambda: scene.open() == {}, "the result to be sent", timeout_s=5)
    until(lambda: not path.exists(), "the file to be taken over", timeout_s=5)
    alive(scene, controller)


def test_results_of_one_agent_are_never_sent_to_another(scene: Scene, tmp_path: Path) -> None:
    """Two agents of one host may share a folder: each takes over its own."""
    from console.store.fence.calls import SwitchRequest
    from console.store.keys import Keys

    left_behind(scene, tmp_path)
    other = Fence(scene.client, Keys.of("other"))
    other.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    stranger = AgentController(scene.url, slot="blue", version="1", agent="other", settings=settings(tmp_path))
    stranger.start()
    scene.agents.append(stranger)
    alive_until = stranger.core.beaten_at
    until(lambda: stranger.core.beaten_at > alive_until + 0.3, "some heartbeats")
    assert scene.attempt(stranger, "bet") == "ok"
    assert other.client.hget(other.keys.ctl, "x_late") is None
    scene.agent(settings=settings(tmp_path))
    until(lambda: scene.open() == {}, "its own agent to send it", timeout_s=5)


def test_a_controller_that_was_stopped_and_started_again_still_spools_on_disk(
    own_scene: Callable[..., Scene], tmp_path: Path
) -> None:
    scene = own_scene()
    assert scene.server is not None
    controller = scene.agent(settings=settings(tmp_path))
    controller.stop()
    controller.start()
    with controller.action("bet") as act:
        scene.server.hang()
        act.settle("won")
    try:
        assert len(controller.spool) == 1
        assert controller.spool.problem or any(path.stat().st_size for path in tmp_path.glob("*.spool"))
    finally:
        scene.server.wake()
    until(lambda: scene.open() == {}, "the result to be sent", timeout_s=10)
