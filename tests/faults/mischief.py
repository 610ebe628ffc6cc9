"""What is done to an agent from inside its own process: signals at any moment, forks that act, values of any kind."""

from __future__ import annotations

import os
import random
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

from console.agent import Action, AgentController, Evidence
from console.agent.fence.process import OtherProcess
from console.domain.errors import UsageError

Note = Callable[[str], None]


class Alarm(TimeoutError):
    """What a signal's handler of the author's raises: a time-out of their own."""


class Interrupts:
    """Alarms at random moments, in the main thread: half of them raise a time-out, half are a Ctrl-C.

    Args:
        dice: decides when.
        every_s: how long there is between two of them, on average.
    """

    def __init__(self, dice: random.Random, every_s: float) -> None:
        self.count = 0
        self._dice, self._every_s = dice, every_s
        signal.signal(signal.SIGALRM, self._ring)

    def arm(self) -> None:
        """Let the next one come."""
        signal.setitimer(signal.ITIMER_REAL, 0.0005 + self._dice.random() * 2 * self._every_s)

    def disarm(self) -> None:
        """Let none come."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, *_signal: object) -> None:
        self.count += 1
        raise Alarm("an alarm") if self._dice.random() < 0.5 else KeyboardInterrupt


def fork_and_try(controller: AgentController, act: Action | None, note: Note) -> None:
    """A child of this process tries everything that reaches the store; each of it must be refused.

    Args:
        controller: made before the fork.
        act: an action that is going on, if there is one.
        note: counts what happened.
    """
    attempts: dict[str, Callable[[], object]] = {
        "claim": lambda: controller.action("child").__enter__(),
        "resolve": lambda: controller.resolve(lambda _claim: Evidence(True, "made up")),
        "halt": lambda: controller.halt("a child"),
    }
    if act is not None:
        attempts["settle"] = lambda: act.settle("by the child")
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            for name, attempt in attempts.items():
                os.write(writer, f"{name} {_outcome(attempt)}\n".encode())
            controller.stop()
        finally:
            os._exit(0)
    os.close(writer)
    output = b""
    try:
        while select.select([reader], [], [], 10.0)[0] and (data := os.read(reader, 4096)):
            output += data
    finally:
        os.close(reader)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    outcomes = dict(line.split(" ", 1) for line in output.decode().splitlines())
    note("forks")
    for name in attempts:
        if outcomes.get(name) != "refused":
            note(f"violation: {name} in a child of a fork: {outcomes.get(name, 'no answer')}")


def _outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OtherProcess:
        return "refused"
    except BaseException as error:
        return f"{type(error).__name__} {error}".replace("\n", " ")[:200]
    return "permitted"


class Sulking:
    """An object that can't be put into words."""

    def __repr__(self) -> str:
        raise RuntimeError("no words")

    __str__ = __repr__


RESULTS: list[Any] = [
    None, "\ud800", "x" * 200_000, "a\x00b\nc", b"\xff\x00", float("nan"), float("-inf"), 1 / 3,
    Decimal("NaN"), Sulking(), {1: {2: {3: [Sulking()]}}}, [10**400], True,
]  # fmt: skip
PNLS: list[Any] = [0.1, 1 / 3, -2.5, 3, "0.25", Decimal("1e-30"), Decimal("-0.000000000000000001"), True and 1]
HOPELESS_PNLS: list[Any] = [float("nan"), float("inf"), Decimal("sNaN"), None, "much", Sulking(), 10**60]
"""With these a result is in doubt, and they trip: few of them, or nothing else happens."""
PROPOSALS: list[dict[str, Any]] = [
    {"key": 7}, {"key": ""}, {"key": "a\nb"}, {"key": "\ud800"}, {"key": "x" * 5000}, {"key": None}, {"key": b"k"},
    {"amount": 0.1}, {"amount": Decimal("NaN")}, {"amount": Decimal("-1")}, {"amount": "5"},
    {"amount": Decimal("1e40")},
    {"currency": "a\nb"}, {"currency": 5}, {"action": "\udfff"}, {"direction": "sideways"}, {"retention_ms": -1},
    {"retention_ms": 1.5},
]  # fmt: skip
"""What must be refused before anything is claimed."""


def claim_nonsense(controller: AgentController, key: str, dice: random.Random, note: Note) -> None:
    """Claim with a value that can't be recorded: it must be refused, and nothing of it is claimed."""
    wanted = dict(dice.choice(PROPOSALS))
    key = wanted.pop("key", f"{key}-nonsense")
    try:
        with controller.action(key, **wanted):
            note(f"violation: {key!r:.20} was claimed with {wanted}")
    except UsageError:
        note("values")


def settle_oddly(act: Action, dice: random.Random, note: Note) -> None:
    """Say that it was executed, with a result and a profit of any type: no exception comes of it."""
    pnl = dice.choice(HOPELESS_PNLS) if dice.random() < 0.02 else dice.choice(PNLS)
    try:
        act.settle(dice.choice(RESULTS), pnl=pnl)
    except (Alarm, KeyboardInterrupt):
        raise
    except BaseException as error:
        note(f"violation: settle raised {type(error).__name__}")
        raise
    note("values")
