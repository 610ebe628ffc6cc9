"""Decision logs as they stood at a moment that is over: the same reader over the lines that were there by then."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from sys import maxsize
from tempfile import TemporaryDirectory
from typing import Final

from console.domain.errors import Refused
from console.domain.seen.asking import Ask
from console.domain.seen.decision import Decision
from console.domain.seen.observation import LogReading
from console.domain.text import clean
from console.logs.follower import LogSet
from console.logs.index.block import Block
from console.logs.index.build import FileIndex
from console.logs.index.logs import indexed
from console.logs.index.search import Search
from console.logs.options import LogOptions

DAY: Final = timedelta(days=1)
MOST_BYTES: Final = 4 << 30
"""Of the 24 hours before a moment; more is refused."""


def logs_at(patterns: Sequence[str], options: LogOptions, folder: Path | None, moment: datetime) -> LogReading:
    """What a console that looked at a moment would have read: 24 hours of it, and nothing later.

    Args:
        patterns, options: as everywhere.
        folder: where indexes are kept; None to keep none.
        moment: aware UTC.

    Raises:
        Refused: those 24 hours are more than can be looked at.
        UsageError: there are too many files.
        OSError: a log can't be read, or there is no room for what was there.
    """
    with indexed(patterns, options, folder) as index, TemporaryDirectory(prefix="agent-console-past-") as name:
        ask = Ask((), moment - DAY, moment + timedelta(microseconds=1))
        copies = [_copy(one, ask, Path(name) / str(number), options) for number, one in enumerate(index.files)]
        return _read([copy for copy in copies if copy is not None], options, moment)


@dataclass(slots=True)
class _Copied:
    """The lines of a log that belong to a time.

    Args:
        path: of the copy.
        log: of the log itself.
        pieces: where in the copy each stretch begins, and where in the log it stands.
    """

    path: Path
    log: Path
    pieces: list[tuple[int, int]] = field(default_factory=list)

    def place(self, offset: int) -> int:
        """Where in the log a line stands."""
        here, there = self.pieces[bisect_right(self.pieces, (offset, maxsize)) - 1]
        return there + offset - here


def _copy(log: FileIndex, ask: Ask, folder: Path, options: LogOptions) -> _Copied | None:
    """The records of a log that belong to the time, in a file of the same name; None where there are none."""
    search = Search(ask, options)
    blocks = [block for block in log.all_blocks() if search.could_hold(block)]
    if sum(block.end - block.start for block in blocks) > MOST_BYTES:
        hint = "`decisions sum` has sums."
        raise Refused(f"The 24 hours before that moment are more than {MOST_BYTES >> 30} GiB.", hint)
    folder.mkdir()
    copied = _Copied(folder / log.path.name, log.path)
    with copied.path.open("wb") as out:
        for block in blocks:
            if options.mapping is None and _inside(block, ask):
                data = log.read(block)
                copied.pieces.append((out.tell(), block.start))
                out.write(data if data.endswith(b"\n") else data + b"\n")
                continue
            for hit in search.hits(log, block):
                copied.pieces.append((out.tell(), hit.offset))
                out.write(hit.line + b"\n")
    return copied if copied.pieces else None


def _inside(block: Block, ask: Ask) -> bool:
    assert ask.since is not None and ask.until is not None
    return block.first_s >= ask.since.timestamp() and block.last_s < ask.until.timestamp()


def _read(copies: Sequence[_Copied], options: LogOptions, moment: datetime) -> LogReading:
    """What the usual reader says of the copies, with the names and places of the logs themselves."""
    of = {str(copy.path): copy for copy in copies}
    logs = LogSet(list(of), options=replace(options, last_lines=None, back_bytes=0, built=None, mapping=None))
    try:
        logs.poll(moment)
        while logs.behind:
            logs.poll(moment)
        reading = logs.reading(moment)
    finally:
        logs.close()
    files = tuple(
        file._replace(path=clean(str(of[file.path].log), 4096), inode=0) for file in reading.files if file.path in of
    )
    return reading._replace(files=files, recent=tuple(_of_log(one, of) for one in reading.recent))


def _of_log(decision: Decision, of: Mapping[str, _Copied]) -> Decision:
    copy = of.get(decision.source)
    if copy is None:
        return decision
    return decision._replace(source=clean(str(copy.log)), offset=copy.place(decision.offset))
