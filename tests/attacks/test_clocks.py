"""The server's clock may jump: nobody looks dead or alive for it, no quarantine ends, and no day's cap doubles."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.agent import Evidence, NotSent, Proof, ResolveCode
from console.store.fence.calls import Limits, SwitchRequest
from tests.attacks.scene import QUICK, Scene
from tests.waiting import until

LIBRARIES = sorted(Path("/usr/lib").rglob("libfaketimeMT.so.1"))
pytestmark = pytest.mark.skipif(not LIBRARIES, reason="needs faketime, which moves the server's clock")
HOUR_MS = 3_600_000


class Clock:
    """The server's clock, as a file that its library reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.at("+0")

    def at(self, when: str) -> None:
        """Set it: `+1h`, or a date in UTC."""
        new = self._path.with_name("new")
        new.write_text(when + "\n", "ascii")
        new.replace(self._path)  # in one step: it is read all the time


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    path = tmp_path / "clock"
    for name, value in {
        "FAKETIME_TIMESTAMP_FILE": str(path),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": "UTC",
    }.items():
        monkeypatch.setenv(name, value)
    return Clock(path)


@pytest.fixture
def moved(
    own_scene: Callable[..., Scene], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Scene]]:
    """A scene whose server lives by the clock."""

    def start() -> Scene:
        monkeypatch.setenv("LD_PRELOAD", str(LIBRARIES[0]))
        try:
            return own_scene()
        finally:
            monkeypatch.delenv("LD_PRELOAD")

    yield start


def events(scene: Scene, kind: bytes) -> list[dict[bytes, bytes]]:
    return [event for _id, event in scene.client.xrange(scene.fence.keys.log) if event[b"k"] == kind]


@pytest.mark.parametrize("jump", ["+1h", "-1h", "+1d", "+400d"])
def test_a_jump_of_the_clock_is_no_proof_that_a_holder_is_silent(
    moved: Callable[[], Scene], clock: Clock, jump: str
) -> None:
    scene = moved()
    settings = QUICK._replace(wake_ms=60_000, lease_ms=3_000)
    holder, other = scene.agent(settings=settings), scene.agent(settings=settings)
    with holder.action("bet") as act:
        scene.executed["bet"] += 1
        clock.at(jump)
        ended = time.monotonic() + 1.0
        while time.monotonic() < ended:
            for proof in (None, Proof.SILENT, Proof.GONE):
                answers = other.resolve(lambda _claim, proof=proof: Evidence(False, "the venue's list", proof=proof))
                assert ResolveCode.RESOLVED not in answers.values()
            assert scene.attempt(other, "bet") in ("Busy", "InDoubt", "StandBy")
        act.settle("sent")
    assert scene.attempt(other, "bet") == "AlreadyDone" and not scene.twice
    assert scene.phase() == "RUN"
    assert events(scene, b"clock"), "nobody says that the clock was moved"


def test_a_quarantine_is_not_over_because_the_clock_was_moved(moved: Callable[[], Scene], clock: Clock) -> None:
    scene = moved()
    controller = scene.agent(settings=QUICK._replace(quarantine_ms=60_000))
    scene.doubt(controller, "bet")
    clock.at("+1h")
    ended = time.monotonic() + 1.0
    while time.monotonic() < ended:
        answers = controller.resolve(lambda _claim: Evidence(False, "the venue's list"))
        assert answers.get("bet") in (ResolveCode.TOO_EARLY, None), answers
    assert scene.attempt(controller, "bet") == "InDoubt"


@pytest.mark.parametrize("jump", ["+1h", "-1h"])
def test_a_dead_holder_is_found_out_all_the_same(moved: Callable[[], Scene], clock: Clock, jump: str) -> None:
    """Its claim comes into doubt and can be resolved, without waiting for the hour."""
    scene = moved()
    dead = scene.agent(settings=QUICK)
    dead.action("bet").__enter__()
    dead._service.stop()
    clock.at(jump)
    controller = scene.agent(settings=QUICK)
    until(lambda: scene.open() == {"bet": True}, "its claim to come into doubt", timeout_s=5)
    until(
        lambda: ResolveCode.RESOLVED in controller.resolve(lambda _claim: Evidence(False, "the list")).values(),
        "its silence to be proof",
        timeout_s=8,
    )


@pytest.mark.parametrize("jump", ["+1h", "-1h"])
def test_a_dead_side_never_looks_healthy_because_the_clock_was_moved(
    moved: Callable[[], Scene], clock: Clock, jump: str
) -> None:
    """An automatic roll back goes to a side that beats, whatever the clock; else it is a halt."""
    scene = moved()
    scene.fence.set_limits(Limits(heartbeat_ms=500), by="op")
    blue, green = scene.agent(settings=QUICK), scene.agent("green", settings=QUICK)
    scene.fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    scene.fence.switch(SwitchRequest("blue", expected_epoch="any", by="op"))
    until(lambda: blue.active, "blue to be active again")
    green._service._attempt = lambda *_args: True  # type: ignore[method-assign] # its heart stands still, it doesn't say goodbye
    time.sleep(0.3)
    clock.at(jump)
    time.sleep(1.2)
    blue.trip("a critical trigger")
    assert scene.phase() == "HALT", "rolled back to a side whose heart stands still"


@pytest.mark.parametrize("jump", ["+1h", "-1h"])
def test_a_living_side_stays_healthy_though_the_clock_was_moved(
    moved: Callable[[], Scene], clock: Clock, jump: str
) -> None:
    scene = moved()
    blue, green = scene.agent(settings=QUICK), scene.agent("green", settings=QUICK)
    scene.fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    scene.fence.switch(SwitchRequest("blue", expected_epoch="any", by="op"))
    until(lambda: blue.active, "blue to be active again")
    clock.at(jump)
    time.sleep(0.4)
    assert green.core.lost == ""
    blue.trip("a critical trigger")
    assert scene.phase() == "RUN", "it halted though the other side is alive"


def test_a_drain_is_not_cut_short_by_the_clock(moved: Callable[[], Scene], clock: Clock) -> None:
    scene = moved()
    holder = scene.agent(settings=QUICK._replace(lease_ms=20_000))
    with holder.action("bet") as act:
        scene.fence.switch(SwitchRequest("green", expected_epoch="any", by="op", mode="drain", drain_ms=20_000))
        clock.at("+1h")
        time.sleep(0.5)
        act.settle("sent")
    assert scene.open() == {} and not scene.twice
    until(lambda: str(getattr(scene.fence.authority(), "active", "")) == "green", "green to be active", timeout_s=5)


def test_epochs_rise_though_the_clock_goes_back(moved: Callable[[], Scene], clock: Clock) -> None:
    scene = moved()
    scene.agent(settings=QUICK)
    clock.at("-1h")
    epochs = []
    for side in ("green", "blue", "green"):
        scene.fence.switch(SwitchRequest(side, expected_epoch="any", by="op"))  # type: ignore[arg-type]
        authority: Any = scene.fence.authority()
        epochs.append(authority.epoch)
    assert epochs == sorted(set(epochs))


def test_a_days_cap_holds_though_the_clock_goes_back_over_midnight(moved: Callable[[], Scene], clock: Clock) -> None:
    clock.at("2026-12-01 23:00:00")
    scene = moved()
    scene.fence.set_limits(Limits(currency="USD", cap_day=Decimal(100)), by="op")
    controller = scene.agent(settings=QUICK._replace(lease_ms=600_000, memory_dir=None))
    spent: dict[str, int] = {"one": 0, "two": 0}
    number = 0

    def at(moment: str) -> None:
        clock.at(moment)
        time.sleep(0.25)  # the server looks at its clock ten times a second

    def spend(day: str, amount: int) -> str:
        nonlocal number
        number += 1
        answer = scene.attempt(controller, f"k{number}", amount=Decimal(amount), currency="USD")
        spent[day] += amount if answer == "ok" else 0
        return answer

    for moment, day in (
        ("2026-12-01 23:00:00", "one"),
        ("2026-12-02 00:00:05", "two"),
        ("2026-12-01 23:59:50", "one"),
        ("2026-12-02 00:00:10", "two"),
        ("2026-12-01 12:00:00", "one"),
    ):
        at(moment)
        for _ in range(3):
            spend(day, 40)
    assert spent == {"one": 80, "two": 80}
    with pytest.raises(NotSent), controller.action("given back", amount=Decimal(20), currency="USD"):
        at("2026-12-02 00:00:30")
        raise NotSent("never left")
    at("2026-12-01 23:59:59")
    assert spend("one", 20) == "ok" and spend("one", 1) == "LimitReached"
