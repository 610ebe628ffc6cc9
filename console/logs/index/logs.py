"""The index of every decision log together: the newest rounds that a question asks for, and exact sums over a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from operator import attrgetter
from pathlib import Path
from typing import Final, NamedTuple

from console.domain.errors import UsageError
from console.domain.seen.asking import Ask
from console.domain.text import clean
from console.logs.files.expand import expand
from console.logs.files.openfile import NotAFile
from console.logs.files.whole import starts
from console.logs.index.build import FileIndex
from console.logs.index.search import Hit, Search
from console.logs.lines.money import EXACT
from console.logs.lines.parse import version_text
from console.logs.options import LogOptions

MOST_FILES: Final = 1000
"""Logs that are indexed together."""


class Left(NamedTuple):
    """A log that is not in the answer.

    Args:
        path: of it.
        why: in words.
        begun: whether it was read until then.
    """

    path: Path
    why: str
    begun: bool = False


class Earned(NamedTuple):
    """Money of one slot and version.

    Args:
        slot: "blue", "green", or "" for neither.
        version: as the records state it.
        currency: as stated; empty where none is.
        dry: whether no real money moved.
    """

    slot: str
    version: str
    currency: str
    dry: bool


@dataclass(slots=True)
class Total:
    """What was earned.

    Args:
        rounds: that state a PnL.
        amount: their sum, exact.
    """

    rounds: int = 0
    amount: Decimal = field(default_factory=Decimal)


class LogIndex:
    """Indexes all files that a list of paths and patterns leads to.

    Args:
        patterns: as everywhere.
        options: where in a record the values lie.
        folder: where indexes are kept; None to keep none.

    Raises:
        UsageError: there are too many files.
    """

    def __init__(self, patterns: Sequence[str], options: LogOptions, folder: Path | None) -> None:
        self._patterns, self._options, self._folder = tuple(patterns), options, folder
        self.left: list[Left] = []
        self.files: list[FileIndex] = []
        self._starts: dict[FileIndex, int] = {}
        self.look_again()

    def look_again(self) -> None:
        """Take in the logs that came since; one that was renamed stays, and what could not be opened is tried again.

        Raises:
            UsageError: there are too many files.
        """
        self.left = [left for left in self.left if left.begun]
        found = dict.fromkeys(path for pattern in self._patterns for path in expand(pattern) if path is not None)
        if len(found) > MOST_FILES:
            raise UsageError(f"That are {len(found)} logs; at most {MOST_FILES} are read together.", "Name fewer.")
        given_up = {left.path for left in self.left}
        known = {index.identity for index in self.files}
        before = len(self.files)
        for path in (path for path in map(Path, found) if path not in given_up):
            try:
                index = FileIndex(path, self._options, self._folder)
            except OSError as error:
                self.left.append(Left(path, error.strerror or "can't be read"))
                continue
            except NotAFile as error:
                self.left.append(Left(path, str(error)))
                continue
            if index.identity in known:  # the same file by another name
                index.close()
                continue
            known.add(index.identity)
            self.files.append(index)
        if len(self.files) == before:
            return
        named = [index for index in self.files if index.is_named]
        begins = dict(zip(named, starts([index.data for index in named]), strict=True))
        self._starts |= {index: begins.get(index, 0) for index in self.files if index not in self._starts}

    def step(self, budget_s: float) -> bool:
        """Read on for a while, in each log; whether everything that is there now was read."""
        done = True
        for index in list(self.files):
            try:
                done = index.step(budget_s) and done
            except OSError as error:
                self._leave(index, error.strerror or "can't be read any more")
                continue
            if index.form:
                self._leave(index, index.form)
        return done

    def _leave(self, index: FileIndex, why: str) -> None:
        self.left.append(Left(index.path, why, begun=True))
        self.files.remove(index)
        index.close()

    @property
    def read_bytes(self) -> tuple[int, int]:
        """How many bytes were read, of how many."""
        return sum(index.at for index in self.files), sum(index.size for index in self.files)

    def newest(self, ask: Ask, most: int, stop: Callable[[], bool] = lambda: False) -> list[Hit]:
        """The newest rounds that a question asks for, by their own time, the newest first.

        Args:
            ask: the question.
            most: how many, at most.
            stop: asked between two stretches; whether what was found so far will do.

        Raises:
            OSError: a log can't be read any more.
        """
        search = Search(ask, self._options)
        stretches = [
            (index, block)
            for index in self.files
            for block in search.stretches(index)
            if block.end > self._starts[index]
        ]
        stretches.sort(key=lambda one: (one[1].last_s, one[1].start), reverse=True)
        hits: list[Hit] = []
        for index, block in stretches:
            if len(hits) >= most:
                hits.sort(key=_when, reverse=True)
                del hits[most:]
                if block.last_s < hits[-1].row.time_s:
                    break
            if stop():
                break
            hits += search.hits(index, block, self._starts[index])
        hits.sort(key=_when, reverse=True)
        return hits[:most]

    def every(self, ask: Ask) -> Iterator[Hit]:
        """Every round that a question asks for, log by log, in the order of each.

        Raises:
            OSError: a log can't be read any more.
        """
        search = Search(ask, self._options)
        for index in self.files:
            for block in search.stretches(index):
                if block.end > self._starts[index]:
                    yield from search.hits(index, block, self._starts[index])

    def at(self, name: str, offset: int) -> Hit | None:
        """The round whose line begins there; None where none does.

        Args:
            name: of the log, or its whole path.
            offset: in bytes.

        Raises:
            UsageError: no log, or more than one, is called that.
        """
        named = [index for index in self.files if name in (str(index.path), index.path.name)]
        if len(named) != 1:
            many = "No log is" if not named else f"{len(named)} logs are"
            raise UsageError(f"{many} called {clean(name, 80)!r}.", "`decisions list` names them.")
        search = Search(Ask(), self._options)
        for block in named[0].all_blocks():
            if block.start <= offset < block.end:
                return next((hit for hit in search.hits(named[0], block) if hit.offset == offset), None)
        return None

    def earned(self, ask: Ask) -> dict[Earned, Total]:
        """What the rounds of a time earned, exact: whole stretches by their index, the others line by line.

        Args:
            ask: of which only the times count.

        Raises:
            OSError: a log can't be read any more.
        """
        since = ask.since.timestamp() if ask.since else float("-inf")
        until = ask.until.timestamp() if ask.until else float("inf")
        totals: dict[Earned, Total] = {}
        search = Search(ask._replace(terms=()), self._options)
        with localcontext(EXACT):
            for index in self.files:
                start = self._starts[index]
                for block in index.all_blocks():
                    if block.end <= start or not search.could_hold(block):
                        continue
                    if (
                        block.sums is not None
                        and min(block.first_s - since, block.start - start) >= 0
                        and (block.last_s < until)
                    ):
                        for one in block.sums:
                            total = self._total(totals, one.version, one.slot, one.currency, dry=one.dry)
                            total.rounds += one.rounds
                            total.amount += one.total
                        continue
                    for row in (hit.row for hit in search.hits(index, block, start)):
                        if row.amount is not None:
                            version = version_text(row.version)
                            total = self._total(totals, version, row.slot, row.currency, dry=bool(row.dry))
                            total.rounds += 1
                            total.amount += row.amount
        return totals

    def _total(
        self, totals: dict[Earned, Total], version: str, slot: str | None, currency: str | None, *, dry: bool
    ) -> Total:
        key = Earned(self._options.slot_of(version, slot), version, currency or "", dry)
        return totals.setdefault(key, Total())

    def close(self) -> None:
        """Give every descriptor back."""
        for index in self.files:
            index.close()


@contextlib.contextmanager
def indexed(
    patterns: Sequence[str], options: LogOptions, folder: Path | None, *, whole: bool = True
) -> Iterator[LogIndex]:
    """The index of all logs, read to their end.

    Args:
        patterns, options, folder: as `LogIndex` takes them.
        whole: whether they are read to their end; else only what an index that was kept tells is in it.

    Raises:
        UsageError: there are too many files.
    """
    index = LogIndex(patterns, options, folder)
    try:
        while whole and not index.step(1.0):
            pass
        yield index
    finally:
        index.close()


_when = attrgetter("row.time_s", "offset")
