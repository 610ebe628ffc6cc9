"""What an agent is about to hand over: the newest state wins, and the live path only leaves a reference here."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.agent.fence.action import encodable
from console.domain.errors import ConsoleError

if TYPE_CHECKING:
    from console.agent.fence.core import Core
    from console.domain.state.pieces import Cut, Cutter
    from console.domain.state.state import State
    from console.store.records.states import Keeping, StateReply

SPACING_S: Final = 0.05
"""Between two sendings, unless there is a hurry: what changes faster is sent as the newest alone."""
REFRESH_S: Final = 1.0
"""Between two sendings of a state in which nothing is new."""
NOTE: Final = "state"

_log: Final = logging.getLogger("console.agent")


class Waiting(NamedTuple):
    """A state that is to be kept.

    Args:
        state: the author's.
        action: number of the newest action that this process had heard of when it was given.
        seconds: when that was, in epoch seconds.
        why: what it is kept for.
    """

    state: State
    action: int
    seconds: Decimal
    why: str


class KeptNow(NamedTuple):
    """The newest state of this process that the store has.

    Args:
        number: in the list of states.
        hash: of its content.
        size: bytes of its text.
        sent: bytes that travelled for it.
        at: when the store took it, in epoch seconds of this host.
    """

    number: int
    hash: str
    size: int
    sent: int
    at: float


class Keeper:
    """Between the author's loop, which gives states, and the worker that sends them.

    Args:
        core: what this process knows.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._given: Waiting | None = None
        self._done: Waiting | None = None
        self._sent: Waiting | None = None
        self._sent_at = float("-inf")
        self._there: frozenset[str] = frozenset()
        self._cutter: Cutter | None = None
        self.hurry = False
        """Whether what waits is to be sent at once."""
        self.kept: KeptNow | None = None
        self.last_error = ""
        """Why the newest state is not kept; empty while it is."""

    # -- the live path -------------------------------------------------------------------------------------------------

    def give(self, state: Any, why: str) -> bool:
        """Take a reference to a state; whether there is something to send. Never raises, never waits."""
        from console.domain.state.state import State

        core = self._core
        if not isinstance(state, State):
            self.trouble(f"keep takes a State, not a {type(state).__name__}")
            return False
        if state.schema != core.settings.schema:
            self.trouble(f"the state says schema {state.schema}, and Settings.schema is {core.settings.schema}")
            return False
        view = core.view
        if (view.active and view.active != core.slot) or os.getpid() != core.pid:
            return False  # the other side keeps what counts
        self._given = Waiting(state, core.seen.actions.number, Decimal(time.time_ns() // 1_000) / 1_000_000, why)
        return True

    # -- the worker ----------------------------------------------------------------------------------------------------

    @property
    def waits(self) -> bool:
        """Whether a state was given that is neither kept nor refused."""
        return self._given is not None and self._given is not self._done

    def next(self) -> Waiting | None:
        """The state to send now; None where there is none, or it is not yet time."""
        waiting = self._given
        if waiting is None or waiting is self._done:
            return None
        if self.hurry:
            return waiting
        return waiting if time.monotonic() - self._sent_at >= self.spacing_s(waiting) else None

    def spacing_s(self, waiting: Waiting) -> float:
        """How long after the last sending this one is due."""
        return REFRESH_S if self._is_known(waiting) else SPACING_S

    def _is_known(self, waiting: Waiting) -> bool:
        """Whether the store has all of it, but for its time."""
        sent = self._sent
        if sent is None or sent.action != waiting.action:
            return False
        before, now = sent.state, waiting.state
        return all(getattr(before, name) is getattr(now, name) for name in _sections(now) if name != "timestamp")

    def cut(self, waiting: Waiting) -> tuple[Keeping, dict[str, bytes]]:
        """The state in pieces, and those that the store lacks, compressed. Takes its time: not for the live path.

        Raises:
            Refused: it is too large, holds a secret, or what can't be written.
        """
        from console.domain.state.kept import record_rest
        from console.domain.state.pieces import Cutter
        from console.store.records.states import Keeping, packed

        if self._cutter is None:
            self._cutter = Cutter(self._core.settings.state_bytes, lambda: time.sleep(0))
        cut: Cut = self._cutter.cut(waiting.state)
        timestamp = waiting.seconds if waiting.state.timestamp is None else waiting.state.timestamp
        core = self._core
        manifest = core.manifest.state.hash if core.manifest is not None else ""
        keeping = Keeping(
            cut,
            record_rest(waiting.state, cut.pieces, timestamp, waiting.why, manifest),
            core.instance,
            core.slot,
            core.view.epoch,
            waiting.action,
            core.settings.states_kept,
        )
        return keeping, packed(cut, cut.texts.keys() - self._there)

    def lacking(self, keeping: Keeping, reply: StateReply) -> dict[str, bytes]:
        """The pieces that the store asked for, compressed."""
        from console.store.records.states import packed

        return packed(keeping.cut, set(reply.missing) & keeping.cut.texts.keys())

    def answered(self, waiting: Waiting, keeping: Keeping, reply: StateReply, sent: int) -> None:
        """Take what the store said to a state."""
        from console.store.records.states import StateCode

        self._done, self._sent_at = waiting, time.monotonic()
        if reply.code in (StateCode.KEPT, StateCode.AGAIN):
            self._sent = waiting
            self._there = frozenset(keeping.cut.texts)
            pieces = keeping.cut.pieces
            self.kept = KeptNow(reply.number, pieces.root, pieces.size, sent, time.time())
            self.well()
        elif reply.code in (StateCode.NOT_ACTIVE, StateCode.STALE):
            # It came after the switch: what was kept before stands, and what was done since is told with it.
            _log.info("%s: a state came after the end of its tenure (%s)", self._core.instance, reply.detail)
            self.well()
        else:
            words = _WHY.get(reply.code.value, "the store said {code}")
            self.trouble(words.format(code=reply.code, detail=reply.detail))

    def refused(self, waiting: Waiting, error: Exception) -> None:
        """This very state can't be kept, and is not tried again."""
        self._done, self._sent_at = waiting, time.monotonic()
        words = error.message if isinstance(error, ConsoleError) else f"{type(error).__name__}: {error}"
        self.trouble(words)

    def trouble(self, words: str) -> None:
        """The newest state is not kept: told on the heartbeat and in the log, never to the live path."""
        words = encodable(words)[:400].rstrip(".")
        if words != self.last_error:
            _log.warning("%s: the state is not kept: %s", self._core.instance, words)
        self.last_error = words
        self._core.notes[NOTE] = f"the state is not kept: {words}"

    def well(self) -> None:
        """The newest state is kept."""
        self.last_error = ""
        self._core.notes.pop(NOTE, None)


_WHY: Final = {
    "NOINIT": "the store has no authority: make a side active with agent-console switch",
    "FULL": "with it the states would have {detail} bytes, which is more than the store holds of them",
    "UNTAKEN": "that of {detail} is to be taken over first: call take_over() as soon as this side is active",
    "MISSING": "the store lost pieces of it while they were sent",
}


def _sections(state: Any) -> tuple[str, ...]:
    global _names
    if not _names:
        _names = tuple(one.name for one in fields(state))
    return _names


_names: tuple[str, ...] = ()
