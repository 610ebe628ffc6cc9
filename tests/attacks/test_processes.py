"""A controller belongs to the process that made it: no child acts, settles, says goodbye, or keeps its locks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.scene import QUICK, Scene, lines, run
from tests.waiting import until

BEGIN = """
    import os, sys, time, warnings, multiprocessing
    warnings.simplefilter("ignore")
    from pathlib import Path
    from console.agent import AgentController, Settings
    settings = Settings(lease_ms=1500, margin_ms=100, heartbeat_ms=100, spool_dir=Path(sys.argv[2]) / "spool")
    venue = open(Path(sys.argv[2]) / "venue", "ab", buffering=0)

    def attempt(controller, key):
        try:
            with controller.action(key) as act:
                act.check()
                venue.write(f"{key}\\n".encode())
                act.settle("done")
        except BaseException as error:
            return type(error).__name__
        return "ok"

    controller = AgentController(sys.argv[1], slot="blue", version="1", settings=settings)
    controller.start()
    assert attempt(controller, "first") == "ok"
"""


def in_child(scene: Scene, folder: Path, code: str) -> str:
    (folder / "venue").touch()
    return run(BEGIN + code, scene.url, str(folder))


@pytest.mark.parametrize("trial", range(2))
def test_children_that_claim_what_their_parent_claims_are_all_refused(scene: Scene, tmp_path: Path, trial: int) -> None:
    in_child(
        scene,
        tmp_path,
        """
    children = []
    for _ in range(3):
        pid = os.fork()
        if not pid:
            answers = {attempt(controller, f"k{number}") for number in range(30)}
            os._exit(0 if answers == {"OtherProcess"} else 9)
        children.append(pid)
    assert [attempt(controller, f"k{number}") for number in range(30)] == ["ok"] * 30
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0]
    controller.stop()
    """,
    )
    assert set(lines(tmp_path / "venue").values()) == {1} and scene.open() == {}


def test_a_pool_that_forks_gets_the_refusal_and_the_parent_goes_on(scene: Scene, tmp_path: Path) -> None:
    in_child(
        scene,
        tmp_path,
        """
    def work(number):
        return attempt(controller, f"k{number}"), controller.active

    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert set(pool.map(work, range(30))) == {("OtherProcess", False)}
    assert attempt(controller, "k1") == "ok"
    controller.stop()
    """,
    )
    assert lines(tmp_path / "venue") == {"first": 1, "k1": 1}


@pytest.mark.parametrize("ending", ["leave", "settle", "raise", "exit", "stop"])
def test_a_child_that_leaves_its_parents_block_settles_nothing(scene: Scene, tmp_path: Path, ending: str) -> None:
    words = {
        "leave": "pass",
        "settle": "act.settle('by the child')",
        "raise": "raise TimeoutError",
        "exit": "sys.exit(0)",
        "stop": "controller.stop(); controller.halt('by the child')",
    }[ending]
    in_child(
        scene,
        tmp_path,
        f"""
    pid = -1
    try:
        with controller.action("bet") as act:
            pid = os.fork()
            if not pid:
                {words}
            else:
                os.waitpid(pid, 0)
                act.settle("by the parent")
    except BaseException as error:
        if not pid:
            os._exit(0)
        raise
    if not pid:
        os._exit(9)
    time.sleep(0.3)
    assert controller.active
    try:
        with controller.action("bet"):
            raise AssertionError
    except Exception as error:
        assert error.done.result == "by the parent", error
    assert attempt(controller, "next") == "ok"
    controller.stop()
    """,
    )
    assert scene.open() == {} and scene.phase() == "RUN"


def test_a_child_that_lives_on_keeps_no_lock_of_its_dead_parent(scene: Scene, tmp_path: Path) -> None:
    """What the parent left in its spool is sent by the next process although a child of it is alive."""
    in_child(
        scene,
        tmp_path,
        """
    scene_client = controller._open(1.0)
    with controller.action("bet") as act:
        from console.domain.errors import StoreUnreachable
        def away(*_):
            raise StoreUnreachable("away", "")
        controller._link.run = away
        controller._service._pulse_link.run = away
        act.settle("won")
    assert len(controller.spool) == 1
    if not os.fork():
        os.closerange(0, 3)
        time.sleep(5)
        os._exit(0)
    os._exit(0)
    """,
    )
    assert list(scene.open()) == ["bet"]
    scene.agent(settings=QUICK._replace(spool_dir=tmp_path / "spool"))
    until(lambda: scene.open() == {}, "the next process to send it", timeout_s=3)


def test_a_child_that_ends_says_goodbye_for_nobody(scene: Scene, tmp_path: Path) -> None:
    """Neither atexit, nor garbage collection, nor `stop` in a child takes the parent's registration away."""
    in_child(
        scene,
        tmp_path,
        """
    if not os.fork():
        controller.stop()
        del controller
        import gc
        gc.collect()
        sys.exit(0)
    os.wait()
    time.sleep(0.5)
    assert controller.active and attempt(controller, "next") == "ok"
    os._exit(0)
    """,
    )
    assert len(scene.fence.heartbeats()) == 1


def test_a_child_may_make_a_controller_of_its_own(scene: Scene, tmp_path: Path) -> None:
    in_child(
        scene,
        tmp_path,
        """
    pid = os.fork()
    if not pid:
        own = AgentController(sys.argv[1], slot="blue", version="1", settings=settings)
        own.start()
        answers = [attempt(own, f"k{number}") for number in range(50)]
        own.stop()
        os._exit(0 if set(answers) <= {"ok", "AlreadyDone", "Busy"} else 9)
    answers = [attempt(controller, f"k{number}") for number in range(50)]
    assert set(answers) <= {"ok", "AlreadyDone", "Busy"}
    assert os.waitpid(pid, 0)[1] == 0
    controller.stop()
    """,
    )
    executed = lines(tmp_path / "venue")
    assert set(executed.values()) == {1} and len(executed) == 51


def test_a_daemon_that_forks_after_the_controller_was_made_but_not_started_is_refused(
    scene: Scene, tmp_path: Path
) -> None:
    in_child(
        scene,
        tmp_path,
        """
    other = AgentController(sys.argv[1], slot="blue", version="1", settings=Settings())
    pid = os.fork()
    if not pid:
        try:
            other.start()
        except BaseException as error:
            pass
        os._exit(0 if attempt(other, "bet") == "OtherProcess" and not other.active else 9)
    assert os.waitpid(pid, 0)[1] == 0
    controller.stop()
    """,
    )
    assert lines(tmp_path / "venue") == {"first": 1}
