"""A fact as it was gathered: known, with its time and source, or lacking, with the way in which it lacks.

Missing, stale, errored and timed out are four different states, and none of them is success. *Not checked* is a fifth:
nothing was asked for, so nothing can have failed; it is shown, and never called open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

T = TypeVar("T", covariant=True)  # a fact only gives its value away
V = TypeVar("V")


class Lack(StrEnum):
    """Why there is no value."""

    MISSING = "missing"
    """The source is there, and what is looked for is not in it."""
    STALE = "stale"
    """There was a value, and it is too old to be believed, or comes from the future."""
    ERROR = "error"
    """The source can't be read, or holds what it must not."""
    TIMEOUT = "timed out"
    """No answer within the time."""
    NOT_CHECKED = "not checked"
    """No source is configured, or nobody who could know it has ever reported."""


@dataclass(frozen=True, slots=True)
class Fact(Generic[T]):
    """One thing that a gate goes by.

    Args:
        source: where it comes from, without a secret: "heartbeats", "state file", "redis key vol:btc".
        at: when it was taken, or given up; aware UTC.
        value: what it is; None where it lacks.
        lack: why there is no value; None where there is one.
        why: the lack in words.
    """

    source: str
    at: datetime
    value: T | None = None
    lack: Lack | None = None
    why: str = ""

    def __post_init__(self) -> None:
        if (self.value is None) is (self.lack is None):
            raise ValueError("a fact is either known, with a value, or lacking, with a reason")


class Lacking(Exception):  # noqa: N818 - a state of a source, not an accident
    """A source that was asked in vain.

    Args:
        lack: which of the ways.
        why: in words.
    """

    def __init__(self, lack: Lack, why: str) -> None:
        super().__init__(why)
        self.lack = lack
        self.why = why


def known(source: str, at: datetime, value: V) -> Fact[V]:
    """A fact that is there."""
    return Fact(source, at, value)


def lacking(source: str, at: datetime, lack: Lack, why: str) -> Fact[Any]:
    """A fact that is not there."""
    return Fact(source, at, None, lack, why)
