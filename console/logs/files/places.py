"""Which files are followed: paths and patterns looked up, files opened, handed over when renamed, and let go when
gone."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from console.domain.seen.observation import LogFile
from console.domain.text import clean
from console.logs.files.expand import expand
from console.logs.files.openfile import Identity, NotAFile, OpenFile, Pull, refuse_other_kinds
from console.logs.files.reread import Memory
from console.logs.newest.recent import Stream
from console.logs.options import LogOptions
from console.logs.statistics.reach import Reach

MAX_FILES: Final = 256
MAX_NAMES: Final = 200_000
"""How many folders and matches one look-up of the patterns may pass before it is cut short."""
LOOK_EVERY_S: Final = 1.0
RETIRE_AFTER_S: Final = 10.0
"""How long a file that lost its name is still read: its writer may not have noticed yet."""
MAX_FINISHED: Final = 1024
PATH_LIMIT: Final = 512


Stamp = tuple[int, int, int, int]
"""Device, inode, size and time of the last change."""


def stamp_of(path: str) -> Stamp | None:
    """What a path leads to, as far as one look tells; None for nothing."""
    try:
        status = os.stat(path)  # noqa: PTH116 - asked of thousands of files, many times a second
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class Source:
    """An open file and the stream its decisions belong to."""

    __slots__ = ("file", "grew_at_s", "problem", "reach", "read_up_at_s", "stream")

    def __init__(self, file: OpenFile, stream: Stream, reach: Reach | None = None) -> None:
        self.file = file
        self.stream = stream
        self.reach = reach
        """How far back it was read; None where all of it was new to the reader."""
        self.grew_at_s = 0.0
        self.read_up_at_s = 0.0
        """When there was nothing more in it, on the reader's clock: what comes now was written after that. 0 where it
        may be of any age."""
        self.problem = ""

    def pull(self) -> Pull:
        """The next block; a file that can't be read now has none, and a problem."""
        try:
            pull = self.file.pull()
        except OSError as error:
            self.problem = f"can't be read: {error.strerror}"
            return Pull()
        self.problem = self.file.form
        return pull


class Place:
    """One path: the file it leads to now, or why there is none."""

    __slots__ = ("_log_file", "alias", "barred", "late", "path", "problem", "seen", "source", "stamp", "stream")

    def __init__(self, path: str, *, late: bool) -> None:
        self.path = path
        self.late = late
        """Whether all of its next file is new to us, so that it is read from the first byte."""
        self.seen = False
        """Whether it ever led to a file that was followed."""
        self.alias = False
        """Whether another path leads to the same file, which is followed there."""
        self.barred = False
        """Whether something stands there and can't be read."""
        self.problem = ""
        self.source: Source | None = None
        self.stamp: Stamp | None = None
        """Of the file that the path led to when it was looked at last; None for none."""
        self.stream = Stream(clean(path, PATH_LIMIT))
        self._log_file = LogFile(self.stream.name)

    def take(self, source: Source) -> None:
        """Follow this file here from now on."""
        source.stream = self.stream
        self.source, self.seen, self.late = source, True, True

    def log_file(self) -> LogFile:
        """How the path stands; the same object while nothing changes."""
        if self.source is None:
            now = LogFile(self.stream.name, problem=clean(self.problem))
        else:
            file = self.source.file
            problem = clean(self.problem or self.source.problem)
            now = LogFile(self.stream.name, file.identity[1], file.offset, file.size, problem)
        if now != self._log_file:
            self._log_file = now
        return self._log_file


class Places:
    """All paths that the patterns lead to, and the files behind them.

    Attributes:
        looking: whether a look-up of the patterns is under way.
        look_every_s: how often patterns are looked up again.
        skipped_bytes: what was left out at the beginning of files.
    """

    def __init__(self, patterns: Sequence[str], options: LogOptions) -> None:
        self._patterns = patterns
        self._options = options
        self._places: dict[str, Place] = {}
        self._retiring: list[Source] = []
        self._finished: OrderedDict[Identity, tuple[int, bytes]] = OrderedDict()
        self._memory = Memory()
        self._search: Iterator[str | None] | None = None
        self._found: dict[str, None] = {}
        self._passed = 0
        self._looked_at_s = float("-inf")
        self._ever_looked = False
        self._notes: tuple[LogFile, ...] = ()
        self.looking = True
        self.look_every_s = LOOK_EVERY_S
        self.skipped_bytes = 0
        self.touching = ""
        """The path that the disk was asked about last; empty between two polls."""
        self.opened = False
        """Whether any file was ever opened that holds lines."""

    @property
    def barred(self) -> bool:
        """Whether something stands at a path and can't be read."""
        return any(place.barred or (place.source and place.source.file.form) for place in self._places.values())

    def look(self, now_s: float, deadline: float) -> None:
        """Look the patterns up if that is due, as far as the time allows, and see what became of each path.

        Args:
            now_s: the reader's clock, epoch seconds.
            deadline: on the monotonic clock.
        """
        if self._search is None and abs(now_s - self._looked_at_s) >= self.look_every_s:
            self._looked_at_s = now_s
            self._search = self._expand_all()
            self._found, self._passed = {}, 0
        if self._search is not None:
            self._continue_search(self._search, deadline)
        self.looking = self._search is not None and not self._ever_looked
        for place in self._places.values():
            self._check(place, now_s)

    def stirred(self) -> bool:
        """Whether any path leads to something else than at the last look, or a look-up or a farewell is under way."""
        if self._search is not None or self._retiring or not self._ever_looked:
            return True
        return any(stamp_of(place.path) != place.stamp for place in self._places.values())

    def nameless(self) -> list[Source]:
        """Files whose path leads elsewhere by now; to be read first, since what they hold is older."""
        return list(self._retiring)

    def sources(self) -> list[Source]:
        """The files that the paths lead to."""
        return [place.source for place in self._places.values() if place.source is not None]

    def log_files(self) -> tuple[LogFile, ...]:
        """Every path that is followed, in the order of the patterns, and what is not followed."""
        return (*(place.log_file() for place in self._places.values() if not place.alias), *self._notes)

    def retire(self, now_s: float, take: Callable[[Source, Pull], None]) -> None:
        """Let go of nameless files that have not grown for RETIRE_AFTER_S; `take` gets an incomplete last line."""
        for source in [source for source in self._retiring if abs(now_s - source.grew_at_s) >= RETIRE_AFTER_S]:
            self._retiring.remove(source)
            take(source, source.file.take_rest())
            self._finished[source.file.identity] = source.file.offset, source.file.mark
            while len(self._finished) > MAX_FINISHED:
                self._finished.popitem(last=False)
            source.file.close()

    def close(self) -> None:
        """Close every file."""
        for source in self.nameless() + self.sources():
            source.file.close()
        self._retiring.clear()
        self._places.clear()

    def _expand_all(self) -> Iterator[str | None]:
        for pattern in self._patterns:
            self.touching = pattern
            yield from expand(pattern)

    def _continue_search(self, search: Iterator[str | None], deadline: float) -> None:
        for path in search:
            self._passed += 1
            if path is not None:
                self._found.setdefault(path)
            if self._passed >= MAX_NAMES:
                break
            if time.monotonic() >= deadline:
                return
        self._search = None
        self._apply()
        self._ever_looked = True

    def _apply(self) -> None:
        before, self._places = self._places, {}
        for path in list(self._found)[:MAX_FILES]:
            self._places[path] = before.pop(path) if path in before else Place(path, late=self._ever_looked)
        for place in before.values():
            self._release(place, self._looked_at_s)
        notes = []
        more = len(self._found) - MAX_FILES
        if more > 0:
            notes.append(LogFile(clean(f"{more} more files"), problem=clean(f"not followed: {MAX_FILES} are the most")))
        if self._passed >= MAX_NAMES:
            patterns = clean(" ".join(self._patterns))
            notes.append(LogFile(patterns, problem=clean("too many folders and files: the search was cut short")))
        self._notes = tuple(notes)

    def _check(self, place: Place, now_s: float) -> None:
        place.problem, place.alias, place.barred, place.stamp = "", False, False, None
        self.touching = place.path
        try:
            status = Path(place.path).stat()
            place.stamp = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
        except (FileNotFoundError, NotADirectoryError):
            place.problem = "is gone; waiting for it to come back" if place.seen else "no such file yet"
            place.late = True
            self._release(place, now_s)
        except (OSError, ValueError) as error:
            place.problem, place.barred = f"can't be read: {getattr(error, 'strerror', error)}", True
        else:
            if place.source is None or place.source.file.identity != (status.st_dev, status.st_ino):
                self._release(place, now_s)
                self._attach(place, status)

    def _release(self, place: Place, now_s: float) -> None:
        if place.source is not None:
            place.source.grew_at_s = now_s
            self._retiring.append(place.source)
            place.source = None

    def _attach(self, place: Place, status: os.stat_result) -> None:
        try:
            refuse_other_kinds(status)
            if self._hand_over(place, (status.st_dev, status.st_ino)):
                return
            file = OpenFile(place.path, self._options.max_line_bytes, self._memory)
        except NotAFile as error:
            place.problem, place.barred = str(error), True
            return
        except OSError as error:
            place.problem, place.barred = f"can't be read: {error.strerror}", True
            return
        if self._hand_over(place, file.identity):  # the path was changed between looking and opening
            file.close()
            return
        try:
            self._start(place, file)
        except OSError as error:
            file.close()
            place.problem, place.barred = f"can't be read: {error.strerror}", True
            return
        self.opened = self.opened or not file.form
        place.take(Source(file, place.stream, None if place.late else Reach()))

    def _hand_over(self, place: Place, identity: Identity) -> bool:
        """Whether the file is open already: followed at another path, or nameless until now and taken over."""
        for other in self._places.values():
            if other.source is not None and other.source.file.identity == identity:
                place.alias = True
                return True
        for source in self._retiring:
            if source.file.identity == identity:
                self._retiring.remove(source)
                place.take(source)
                return True
        return False

    def _start(self, place: Place, file: OpenFile) -> None:
        finished = self._finished.pop(file.identity, None)
        if finished is not None and file.resume(*finished):
            return
        if file.look_at_form() or file.recognise():
            return
        if not place.late and self._options.last_lines is not None:
            self.skipped_bytes += file.start_at_last_lines(self._options.last_lines)
