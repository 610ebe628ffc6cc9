"""A recording as a timeline: what was to be seen at any moment between its first frame and its last."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from console.domain.board.boards import Seen
from console.domain.errors import Refused
from console.domain.seen.observation import Observation
from console.domain.seen.timeline import Mark
from console.domain.text import Safe, clean
from console.recording.chunks import micros, moment_of
from console.recording.errors import Damaged
from console.recording.frame import Frame
from console.recording.part import Part
from console.views.format import age_text

GAP_S: Final = 10.0
"""A recorder writes at least once a second while the store answers; where it wrote nothing for longer, nobody knows."""


class RecordedTimeline:
    """Files of a recording, as a `console.domain.seen.timeline.Timeline`. It blocks; any thread may call it.

    Args:
        paths: in any order; those that follow each other are one recording.

    Raises:
        Refused: a newer release wrote one of them, or they overlap: they are two recordings.
        Damaged: one of them is no recording.
        ConsoleError: one of them can't be opened.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._lock = threading.Lock()
        self._parts: list[Part] = []
        try:
            for path in paths:
                self._parts.append(_opened(path))
        except BaseException:
            self.close()
            raise
        self._parts.sort(key=lambda part: part.first)
        for before, after in zip(self._parts, self._parts[1:], strict=False):
            if after.first < before.last:
                self.close()
                raise Refused("These are recordings of the same time, and can't be played as one.", "Open one of them.")
        self._starts = [micros(part.first) for part in self._parts]

    def close(self) -> None:
        """Let the files go."""
        for part in self._parts:
            part.close()

    @property
    def agent(self) -> Safe:
        """Whose keys were watched."""
        return clean(self._parts[0].head.agent, 64)

    @property
    def missing(self) -> tuple[Safe, ...]:
        """What of it nobody kept, one sentence each."""
        told = [part.problem for part in self._parts if part.problem]
        for before, after in zip(self._parts, self._parts[1:], strict=False):
            gap_s = (after.first - before.last).total_seconds()
            if gap_s > GAP_S:
                told.append(clean(f"{age_text(gap_s)} from {before.last:%H:%M:%S} on were not recorded"))
        return tuple(told)

    def bounds(self) -> tuple[datetime, datetime]:
        """The times of its first frame and its last."""
        return self._parts[0].first, self._parts[-1].last

    def at(self, moment: datetime) -> Observation:
        """What was to be seen then, its ages counted to that moment.

        Raises:
            Refused: it was before the recording began.
            Damaged: what stands there can't be read.
        """
        with self._lock:
            at, frame = self._frame(micros(moment))
        if at > micros(moment):
            raise Refused(f"The recording begins at {moment_of(at):%Y-%m-%d %H:%M:%S}.")
        return frame.observation._replace(now=moment, looking=None)

    def boards(self, moment: datetime) -> Seen | None:
        """The boards of the screens 6 and 7 as they were read by then; None where nobody recorded them.

        Raises:
            Damaged: what stands there can't be read.
        """
        with self._lock:
            at, frame = self._frame(micros(moment))
        return frame.boards if at <= micros(moment) else None

    def marks(self) -> Sequence[Mark]:
        """The events, oldest first."""
        return tuple(mark for part in self._parts for mark in part.marks)

    def beside(self, moment: datetime, *, forward: bool) -> datetime | None:
        """The time of the frame after, or before, the one that is shown at a moment; None where there is none."""
        at = micros(moment)
        with self._lock:
            if not forward:
                at, _shown = self._frame(at)
            number = self._number(at)
            near = (number, number + 1) if forward else (number, number - 1)
            parts = (self._parts[one] for one in near if 0 <= one < len(self._parts))
            times = (part.beside(at, forward) for part in parts)
            there = next((time for time in times if time is not None), None)
        return moment_of(there) if there is not None else None

    def _number(self, at: int) -> int:
        return max(0, bisect_right(self._starts, at) - 1)

    def _frame(self, at: int) -> tuple[int, Frame]:
        return self._parts[self._number(at)].at(at)


def _opened(path: Path) -> Part:
    try:
        return Part(path)
    except OSError as error:
        raise Damaged(f"{clean(path)} can't be opened: {error.strerror or error}.") from error
