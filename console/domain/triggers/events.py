"""What happened once: the newest of each kind, and how many there were."""

from __future__ import annotations

from typing import Final, NamedTuple

SAMPLES: Final = 5
"""Ids of decisions kept as evidence."""


class Event(NamedTuple):
    """Something that happened once and is harm by itself, or has to be told."""

    at_s: float
    id: str
    text: str


class Events:
    """Events of one kind: the newest, and how many there were."""

    __slots__ = ("count", "newest")

    def __init__(self) -> None:
        self.count = 0
        self.newest: tuple[Event, ...] = ()

    def add(self, event: Event) -> None:
        """Take in one."""
        self.count += 1
        self.newest = (*self.newest, event)[-SAMPLES:]

    def since(self, at_s: float) -> Events:
        """Those of the newest that happened at a time or later, in epoch seconds."""
        later = Events()
        for event in self.newest:
            if event.at_s >= at_s:
                later.add(event)
        return later
