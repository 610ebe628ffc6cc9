"""Whatever interrupts a call between sending and reading, no reply is taken for another's and nothing is lost."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from console.agent import AgentController, AlreadyDone, Evidence
from tests.attacks.scene import QUICK, Scene, lines, run
from tests.waiting import until

CALM = QUICK._replace(heartbeat_ms=60_000, stale_after_ms=120_000, lease_ms=20_000)
"""No heartbeat comes between."""


class Alarm(Exception):
    """What a handler of the author's raises."""


@pytest.fixture
def handler() -> Iterator[Callable[[Callable[[], object]], object]]:
    """Sets the handler of SIGALRM; the one before is put back."""
    before = signal.getsignal(signal.SIGALRM)
    yield lambda work: signal.signal(signal.SIGALRM, lambda *_: work())
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def interrupt_next_read(controller: AgentController, error: type[BaseException], *, after: bool = False) -> None:
    """Let this thread's next reply, on whatever connection, be interrupted before it is read, or right after."""
    fence: Any = controller._link.fence
    kind = type(fence.client.connection)
    read, here = kind.read_response, threading.get_ident()

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() == here:
            kind.read_response = read
            if after:
                read(*args, **kwargs)
            raise error
        return read(*args, **kwargs)

    kind.read_response = interrupted


ERRORS = [KeyboardInterrupt, SystemExit, TimeoutError, GeneratorExit, MemoryError, Alarm]


@pytest.mark.parametrize("after", [False, True], ids=["before it is read", "after it is read"])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_a_claim_that_is_interrupted_never_hands_its_reply_to_the_next(
    scene: Scene, error: type[BaseException], after: bool
) -> None:
    controller = scene.agent(settings=CALM)
    assert scene.attempt(controller, "done") == "ok"
    interrupt_next_read(controller, error, after=after)
    with pytest.raises(BaseException) as refused, controller.action("other"):
        pytest.fail("it must not run")
    assert not isinstance(refused.value, AssertionError)
    assert scene.attempt(controller, "done") == "AlreadyDone" and not scene.twice
    until(lambda: not scene.open(), "what was interrupted to be let go of")
    assert scene.attempt(controller, "other") == "ok"


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_a_result_whose_telling_is_interrupted_is_told_all_the_same(scene: Scene, error: type[BaseException]) -> None:
    controller = scene.agent(settings=CALM)
    with suppress(BaseException), controller.action("bet") as act:
        scene.executed["bet"] += 1
        interrupt_next_read(controller, error)
        act.settle("won")
    until(lambda: not scene.open() and not controller.core.defects, "the result to be told")
    with pytest.raises(AlreadyDone) as before, controller.action("bet"):
        pytest.fail("it must not run")
    assert before.value.done.result == "won"


@pytest.mark.parametrize("error", ERRORS[:3], ids=lambda error: error.__name__)
def test_a_claim_with_replicas_that_is_interrupted_hands_nothing_on(scene: Scene, error: type[BaseException]) -> None:
    """The pipeline with WAIT has two replies: neither is the next claim's."""
    controller = scene.agent(settings=CALM)
    assert scene.attempt(controller, "done") == "ok"
    waiting = controller.settings._replace(replicas=1, replicas_wait_ms=1)
    controller.core.settings = waiting
    interrupt_next_read(controller, error)
    with pytest.raises(BaseException), controller.action("other"):  # noqa: B017 - whatever it is
        pytest.fail("it must not run")
    assert scene.attempt(controller, "done") == "AlreadyDone"
    assert scene.attempt(controller, "third") == "StandBy"  # there is no replica
    until(lambda: not scene.open(), "what was interrupted to be let go of")


@pytest.mark.parametrize("error", ERRORS[:3], ids=lambda error: error.__name__)
def test_a_resolution_that_is_interrupted_hands_nothing_on(scene: Scene, error: type[BaseException]) -> None:
    controller = scene.agent(settings=CALM)
    assert scene.attempt(controller, "done") == "ok"
    scene.doubt(controller, "bet")

    def probe(_claim: object) -> Evidence:
        interrupt_next_read(controller, error)
        return Evidence(True, "the venue's list", result="won")

    with pytest.raises(error):
        controller.resolve(probe)
    assert scene.attempt(controller, "done") == "AlreadyDone"
    assert scene.attempt(controller, "bet") in ("AlreadyDone", "InDoubt") and not scene.twice
    controller.resolve(lambda _claim: Evidence(True, "the venue's list", result="won"))
    assert scene.attempt(controller, "bet") == "AlreadyDone"


def test_a_heartbeat_that_is_interrupted_hands_nothing_to_the_next(scene: Scene) -> None:
    controller = scene.agent(settings=CALM)
    link: Any = controller._service._pulse_link
    client = link.fence.client
    read = client.connection.read_response

    def interrupted(*_args: Any, **_kwargs: Any) -> Any:
        client.connection.read_response = read
        raise MemoryError

    client.connection.read_response = interrupted
    controller._service.wake()
    until(lambda: "the heartbeat" in controller.core.defects, "the defect to be seen")
    assert scene.attempt(controller, "bet") == "Halted"  # a heart that fails stops claims
    controller._service.wake()
    until(lambda: not controller.core.defects, "the heart to go on")
    assert scene.attempt(controller, "bet") == "ok"


STRUCK = """
    import logging, random, signal, sys, time
    logging.disable()
    sys.modules["hiredis"] = None  # its C code does not survive a handler that raises in the middle of it
    from console.agent import ActionRefused, AgentController, Settings

    class Alarm(Exception):
        pass

    armed = False

    def struck(*_):
        global armed
        if armed:
            armed = False
            raise Alarm

    settings = Settings(lease_ms=800, margin_ms=100, heartbeat_ms=100, stale_after_ms=1000, doubtful=(Alarm,))
    controller = AgentController(sys.argv[1], slot="blue", version="1", settings=settings)
    controller.start()
    venue = open(sys.argv[2], "ab", buffering=0)
    moments, strikes = random.Random(int(sys.argv[3])), 0

    def attempt(key):
        try:
            with controller.action(key) as act:
                act.check()
                venue.write(f"{key}\\n".encode())
                act.settle("done")
        except ActionRefused as refused:
            return type(refused).__name__
        return "ok"

    signal.signal(signal.SIGALRM, struck)
    for number in range(800):
        try:
            armed = True
            signal.setitimer(signal.ITIMER_REAL, moments.uniform(1e-5, 2e-3))
            attempt(f"k{number % 100}")
            armed = False
        except Alarm:
            strikes += 1
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    time.sleep(1.5)
    assert strikes > 10, strikes
    assert not controller.core.acting, dict(controller.core.acting)
    assert not controller.core.defects and not controller.core.lost, (controller.core.defects, controller.core.lost)
    for number in range(100):
        print("ANSWER", f"k{number}", attempt(f"k{number}"))
    controller.stop()
"""


@pytest.mark.parametrize("seed", ["1", pytest.param("2", marks=pytest.mark.long)])
def test_alarms_at_random_moments_make_no_key_twice_and_every_doubt_visible(
    scene: Scene, tmp_path: Path, seed: str
) -> None:
    """Of a block, a claim or a telling that an alarm's exception ended, nothing is left but a doubt that is seen."""
    venue = tmp_path / "venue"
    told = [line.split() for line in run(STRUCK, scene.url, str(venue), seed).splitlines()]
    answers = {words[1]: words[2] for words in told if words[:1] == ["ANSWER"]}
    executed = lines(venue)
    assert max(executed.values()) == 1
    in_doubt = {key for key, doubt in scene.open().items() if doubt}
    assert len(answers) == 100
    for key, answer in answers.items():
        assert answer in ({"InDoubt"} if key in in_doubt else {"ok", "AlreadyDone"}), (key, answer)


def test_a_handler_that_claims_settles_and_halts_in_between_never_hangs(
    scene: Scene, handler: Callable[..., object]
) -> None:
    """A signal's handler runs in the middle of whatever its thread does, with whatever locks that has."""
    controller = scene.agent(settings=QUICK)
    other = iter(range(10_000))
    handler(lambda: scene.attempt(controller, f"h{next(other)}"))
    moments = random.Random(5)
    for number in range(400):
        signal.setitimer(signal.ITIMER_REAL, moments.uniform(1e-5, 1e-3))
        assert scene.attempt(controller, f"m{number}") == "ok"
        signal.setitimer(signal.ITIMER_REAL, 0)
    assert not scene.twice and next(other) > 100


@pytest.mark.parametrize("where", ["_write", "read_response"])
def test_a_handler_may_halt_in_the_middle_of_a_claim(scene: Scene, handler: Callable[..., object], where: str) -> None:
    controller = scene.agent(settings=CALM)
    assert scene.attempt(controller, "done") == "ok"
    handler(lambda: controller.halt("the operator pressed Ctrl-C"))
    fence: Any = controller._link.fence
    connection = fence.client.connection
    name = "read_response" if where == "read_response" else "send_packed_command"
    work = getattr(connection, name)

    def struck(*args: Any, **kwargs: Any) -> Any:
        setattr(connection, name, work)
        signal.raise_signal(signal.SIGALRM)
        return work(*args, **kwargs)

    setattr(connection, name, struck)
    answer = scene.attempt(controller, "bet")
    assert scene.phase() == "HALT"
    assert answer in ({"Halted"} if where == "_write" else {"ok", "Halted"})
    assert scene.attempt(controller, "done") in ("AlreadyDone", "Halted") and not scene.twice


def test_a_handler_may_end_the_process_in_the_middle_of_a_claim(scene: Scene) -> None:
    """SIGTERM → sys.exit(), as most services do: the claim is let go of by the next process, or in doubt."""
    code = """
        import signal, sys, time
        from console.agent import AgentController, Settings
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        settings = Settings(lease_ms=800, margin_ms=100)
        controller = AgentController(sys.argv[1], slot="blue", version="1", settings=settings)
        controller.start()
        signal.setitimer(signal.ITIMER_REAL, 0)
        import os, threading
        threading.Timer(float(sys.argv[2]), lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
        number = 0
        try:
            while True:
                number += 1
                with controller.action(f"{sys.argv[2]}-{number}") as act:
                    act.settle(number)
        finally:
            controller.stop()
            print("ended")
    """
    for delay_s in ("0.05", "0.113"):
        assert "ended" in run(code, scene.url, delay_s)
    next_one = scene.agent()
    until(lambda: all(scene.open().values()), "every lease to end")
    assert len(scene.open()) <= 2 and next_one.active


def test_an_interrupt_of_the_event_itself_leaves_it_usable(scene: Scene, handler: Callable[..., object]) -> None:
    """The heart's signal is set by whoever settles; a handler sets it too, in the middle of that."""
    controller = scene.agent(settings=QUICK)
    handler(lambda: controller._service.wake())
    ended = threading.Event()
    until_s = time.monotonic() + 1.0
    watch = threading.Timer(20, lambda: ended.is_set() or os._exit(70))
    watch.daemon = True
    watch.start()
    while time.monotonic() < until_s:
        signal.setitimer(signal.ITIMER_REAL, 2e-5)
        for _ in range(20):
            controller._service.wake()
    signal.setitimer(signal.ITIMER_REAL, 0)
    ended.set()
    watch.cancel()
    assert scene.attempt(controller, "bet") == "ok"
