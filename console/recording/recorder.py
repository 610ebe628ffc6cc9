"""Recording what a console sees while it goes on: written on a thread of its own, so that no disk delays a key."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from console.domain.board.boards import Seen
from console.domain.errors import ConsoleError
from console.domain.seen.observation import Observation
from console.domain.text import Safe, clean
from console.recording.frame import Frame
from console.recording.ring import Ring

MOST_WAITING: Final = 50
"""Observations that wait for a disk; beyond, the oldest of them are left out, and counted."""
ENDS_WITHIN_S: Final = 5.0


class Recorded(NamedTuple):
    """How a recording stands.

    Args:
        frames: written.
        bytes: of the files that are there.
        lost: observations that a slow disk left no time for.
        problem: why nothing is written any more; empty while it is.
    """

    frames: int
    bytes: int
    lost: int
    problem: Safe


class Recorder:
    """Takes observations and writes them down.

    Args:
        ring: where to; it is closed with the recorder.
        on_end: called on the recorder's thread, when it can't go on.
    """

    def __init__(self, ring: Ring, on_end: Callable[[], None] = lambda: None) -> None:
        self._ring, self.on_end = ring, on_end
        self._waiting: deque[Frame] = deque()
        self._change = threading.Condition()
        self._closing = False
        self._lost = 0
        self._problem = Safe("")
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def path(self) -> Path:
        """The first file."""
        return self._ring.path

    @property
    def state(self) -> Recorded:
        """How it stands."""
        return Recorded(self._ring.written, self._ring.size, self._lost, self._problem)

    def take(self, observation: Observation, boards: Seen | None = None) -> None:
        """Write this down soon; returns at once.

        Args:
            observation: of store and logs.
            boards: as they were read by then; None where nobody reads them.
        """
        with self._change:
            if self._closing or self._problem:
                return
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self._lost += 1
            self._waiting.append(Frame(observation, boards))
            self._change.notify()

    def close(self, within_s: float = ENDS_WITHIN_S) -> Recorded:
        """Write what waits, and the index; a disk that hangs is left alone after so many seconds."""
        with self._change:
            self._closing = True
            self._change.notify()
        self._thread.join(within_s)
        if self._thread.is_alive():
            self._problem = self._problem or Safe("The disk did not answer; the end of the recording is missing.")
        return self.state

    def _run(self) -> None:
        try:
            while (frame := self._next()) is not None:
                self._ring.add(*frame)
        except ConsoleError as error:
            self._fail(error)
        try:
            self._ring.close()
        except ConsoleError as error:
            self._fail(error)

    def _next(self) -> Frame | None:
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._closing)
            return self._waiting.popleft() if self._waiting else None

    def _fail(self, error: ConsoleError) -> None:
        with self._change:
            known = self._problem
            self._problem = known or clean(str(error))
            self._lost += len(self._waiting)
            self._waiting.clear()
        if not known:
            self.on_end()
