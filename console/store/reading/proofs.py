"""What proves a new version, read with everything else: the canary, its shadows, divergences, experiments.

Fetched only where its mark has moved, and decoded only when it differs. Large values are never fetched: each hash is
looked at by its length first, and one that is too long, or of another type, shows as nothing here and as what it is in
its own verb.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.store.keys import Keys, ProofKeys
from console.store.reading.flag_cache import Command
from console.store.reading.sections import Section, count_of
from console.store.records.revisions import Part

if TYPE_CHECKING:
    from console.domain.canary.run import CanaryReading
    from console.domain.experiment.record import ExperimentView
    from console.domain.shadow.report import DivergenceReading, ShadowReport

MAX_DIVERGENCES: Final = 100
MAX_FIELDS: Final = 2_000
"""A hash with more fields than this is not fetched: none of ours grows so long."""
_POINTS: Final = 240
_BOOK: Final = ("report", "at")
_RUN: Final = (
    "run",
    "slot",
    "plan",
    "dig",
    "state",
    "step",
    "rev",
    "share",
    "budget",
    "cur",
    "cap",
    "began",
    "since",
    "by",
    "src",
    "why",
)


class Proved(NamedTuple):
    """What was found."""

    canary: CanaryReading | None = None
    shadows: tuple[ShadowReport, ...] = ()
    divergences: tuple[DivergenceReading, ...] = ()
    experiments: tuple[ExperimentView, ...] = ()


class Proofs:
    """Reads them again and again, and remembers what they were decoded from.

    Args:
        keys: whose.
    """

    def __init__(self, keys: Keys) -> None:
        self._names, self._gates = ProofKeys.of(keys), keys.canary_gates
        names = self._names
        self._run = Section(lambda: [("HMGET", names.run, *_RUN)])
        self._book = Section(lambda: [("HMGET", names.book, *_BOOK), ("LRANGE", names.track, -_POINTS, -1)])
        self._kept = {name: Section(partial(self._fetch, name)) for name in self._hashes}
        self._raw: list[int] = []
        self._now = Proved()
        self._last = b""
        self._lengths: dict[str, int] = {}
        self._divergences: list[DivergenceReading] = []

    @property
    def sections(self) -> list[Section]:
        """What is fetched where its mark moved."""
        return [self._run, self._book, *self._kept.values()]

    def commands(self) -> list[Command]:
        """The commands that read the marks, and what is new in the streams."""
        names = self._names
        after = b"(" + self._last if self._last else b"-"
        return [
            ("HMGET", names.book, "at", "told"),
            ("HLEN", names.run),
            *self.lengths(),
            ("XREVRANGE", names.divergences, "+", after, "COUNT", MAX_DIVERGENCES),
            ("XLEN", names.divergences),
        ]

    def marks(self, replies: Sequence[Any], head: Hashable, told: Mapping[Part, Hashable]) -> dict[Section, Hashable]:
        """The marks of the sections.

        Args:
            replies: to `commands`.
            head: of the chain of control events, under which the run and experiments are written; None where there is
                none.
            told: the marks of what is written under no chain; None where there is none.
        """
        book, run, *counts = replies
        lengths = dict(zip(self._hashes, map(count_of, counts), strict=False))
        by = {
            self._names.shadows: told[Part.SHADOWS],
            self._names.experiments: head,
            self._names.reports: told[Part.REPORTS],
            self._gates: told[Part.GATES],
        }
        marks: dict[Section, Hashable] = {
            self._run: (0,) if run == 0 else None if head is None else (head, count_of(run)),
            self._book: tuple(book) if isinstance(book, list) else count_of(book),
        }
        self.take_lengths(counts[: len(self._hashes)])
        for name, section in self._kept.items():
            nothing = lengths[name] == 0
            marks[section] = (0,) if nothing else None if by[name] is None else (by[name], lengths[name])
        return marks

    def lengths(self) -> list[Command]:
        """The commands that ask how long the hashes are; their replies are for `take_lengths`."""
        return [("HLEN", name) for name in self._hashes]

    def take_lengths(self, lengths: Sequence[Any]) -> None:
        """Remember how long the hashes are; one of another type is as good as none."""
        for name, length in zip(self._hashes, lengths, strict=True):
            self._lengths[name] = length if isinstance(length, int) else 0

    @property
    def _hashes(self) -> tuple[str, str, str, str]:
        return self._names.shadows, self._names.experiments, self._names.reports, self._gates

    def _fetch(self, name: str) -> list[Command]:
        return [("HGETALL", name)] if 0 < self._lengths.get(name, 0) <= MAX_FIELDS else []

    def take(self, replies: Sequence[Any]) -> Proved:
        """What there is, once the sections were fetched.

        Args:
            replies: to `commands`.
        """
        *_, new, count = replies
        serials = [section.serial for section in self.sections]
        if serials != self._raw:
            self._raw = serials
            (run,), (book, track) = self._run.replies or (None,), self._book.replies or (None, None)
            kept = (section.replies[0] if section.replies else {} for section in self._kept.values())
            self._now = self._decoded(run, book, track, *(one if isinstance(one, Mapping) else {} for one in kept))
        if isinstance(new, list) and (new or not count):
            self._take_divergences(new, count)
        return self._now._replace(divergences=tuple(self._divergences))

    def _decoded(
        self,
        run: Any,
        book: Any,
        track: Any,
        shadows: Mapping[Any, Any],
        experiments: Mapping[Any, Any],
        reports: Mapping[Any, Any],
        gates: Mapping[Any, Any],
    ) -> Proved:
        canary = None
        if isinstance(run, list) and run[_RUN.index("state")] is not None:
            from console.store.records.canary import (
                reading_from,  # only where there is one: the others start without it
            )

            kept = book if isinstance(book, list) else [None] * len(_BOOK)
            canary = reading_from(_named(_RUN, run), _named(_BOOK, kept), track, gates)
        proved: Proved = Proved(canary)
        if shadows:
            from console.store.records.shadows import read_shadows

            proved = proved._replace(shadows=read_shadows(shadows))
        if experiments:
            from console.store.records.experiments import read_experiments

            proved = proved._replace(experiments=read_experiments(experiments, reports))
        return proved

    def _take_divergences(self, new: list[Any], count: Any) -> None:
        if not count:  # emptied: what is remembered is gone
            self._last, self._divergences = b"", []
        if not new:
            return
        from console.store.records.shadows import read_divergence

        self._last = new[0][0]
        for stream_id, fields in reversed(new):
            self._divergences.append(read_divergence(stream_id, fields))
        del self._divergences[:-MAX_DIVERGENCES]


def _named(names: Sequence[str], values: Sequence[Any]) -> dict[str, str]:
    from console.store.fence.replies import text

    return {name: text(value) for name, value in zip(names, values, strict=True) if value is not None}
