"""One pass of the search through a store's keys: where it stands, and what it met that is no agent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from console.domain.text import Safe, clean
from console.store.reading.search_mark import SearchMark
from console.store.reading.speaking import Heard

MAX_ODD: Final = 10_000


class Progress(NamedTuple):
    """How far a pass has come.

    Args:
        looked: keys of the store that were looked at, each of them once for each form of an agent's key.
        keys: how many there are to look at in the same sense, as far as the server told; it may grow meanwhile.
    """

    looked: int = 0
    keys: int = 0


class SearchPass:
    """One pass over the store, a form of key after the other; perhaps begun by another process.

    Args:
        mark: where that one stopped.
    """

    def __init__(self, mark: SearchMark = SearchMark()) -> None:  # noqa: B008 - a value
        self.form, self.cursor = mark.form, mark.cursor
        self.looked, self.keys = mark.looked, mark.keys
        self.more = 0
        """Agents beyond as many as can be known."""
        self._silent: set[str] = set()
        self._shut: set[str] = set()
        self._odd: set[str] = set()

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return Progress(self.looked, self.keys)

    def asked(self, names: Iterable[str], told: Heard) -> None:
        """What came of asking who of these is an agent."""
        self._shut |= told.shut
        self._silent |= set(names) - told.speaking - told.away - self._shut

    def odd(self, names: Sequence[str]) -> None:
        """Keys named like an agent's whose name can't be one."""
        self._odd |= {name[:128] for name in names[: max(0, MAX_ODD - len(self._odd))]}

    def step(self, looked: int, cursor: int, forms: int) -> bool:
        """So many keys were looked at, and there the server stands; whether that was the end of the pass.

        Args:
            looked: how many.
            cursor: as SCAN gave it out.
            forms: how many forms of key there are.
        """
        self.looked += looked
        self.cursor = cursor
        if cursor:
            return False
        self.form += 1
        self.looked = self.form * (self.keys // forms)
        return self.form == forms

    def left_out(self, most: int, unseen: Sequence[str]) -> Iterator[Safe]:
        """What was left out, in words.

        Args:
            most: agents that can be known.
            unseen: nodes of a Cluster that did not answer.
        """
        if self._silent:
            yield clean(f"{len(self._silent)} keys named like a plain agent's hold no slot: left out")
        if self._shut:
            yield clean(f"{len(self._shut)} agents' keys are not permitted to this user of the store: left out")
        if self._odd:
            yield clean(f"{len(self._odd)} keys named like an agent's whose name can't be one: left out")
        if self.more:
            yield clean(f"{self.more} more agents than the {most} that can be known: left out")
        if unseen:
            yield clean(f"{', '.join(unseen)}: does not answer, and whoever is there may be missing")
