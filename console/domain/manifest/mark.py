"""One part of a manifest: its hash, a short label and, where it has named members, theirs; never what was hashed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from enum import StrEnum
from itertools import islice
from typing import Any, Final, NamedTuple

from console.domain.manifest.digest import MAX_VALUES, digest
from console.domain.secrets import without_secrets
from console.domain.text import Safe, clean

MAX_LABEL: Final = 80
MAX_NAME: Final = 60
MAX_MEMBERS: Final = 32
"""Named members of one part; of more none is listed."""
SHORT: Final = 12
"""Digits of a hash as it is shown."""
UNKNOWN: Final = "unknown"


class Part(StrEnum):
    """What a version is made of."""

    CODE = "code"
    MODEL = "model"
    """The resolved snapshot of the model, never an alias that may mean another one tomorrow."""
    PROMPT = "prompt"
    TOOLS = "tools"
    """The definitions of the tools that the model may call."""
    FLAGS = "flags"
    """The schema of the flags that it reads: names, types, defaults."""
    STATE = "state"
    """The schema of the state that it keeps and takes over."""


class Member(NamedTuple):
    """A named member of a part (a flag, a tool, a field of the state): its name, and 8 digits of its hash."""

    name: Safe
    hash: str


class Mark(NamedTuple):
    """One part.

    Args:
        hash: 64 digits of SHA-256; empty for unknown.
        label: a few words for people; empty for none.
        members: its named members, by name, where there are few enough.
    """

    hash: str = ""
    label: Safe = Safe("")
    members: tuple[Member, ...] = ()

    @property
    def known(self) -> bool:
        """Whether somebody declared it."""
        return bool(self.hash)

    @property
    def short(self) -> str:
        """Its hash as it is shown, or that it is unknown."""
        return self.hash[:SHORT] or UNKNOWN


NOBODY: Final = Mark()


def mark_of(value: object, what: str) -> Mark:
    """The mark of what an author declares for one part.

    Args:
        value: see `Manifest.of`.
        what: the part's name.

    Raises:
        UsageError: it has no canonical form.
    """
    if isinstance(value, Iterable) and not isinstance(value, Sequence | Set | Mapping):
        value = list(islice(value, MAX_VALUES + 1))  # of an iterator there is one reading
    named = _named(value)
    members: tuple[Member, ...] = ()
    if named is not None and len(named) <= MAX_MEMBERS:
        members = tuple(Member(word(name, MAX_NAME), digest(named[name], what)[:8]) for name in sorted(named))
        if len({one.name for one in members}) < len(members):
            members = ()  # cut or cleaned they can't be told apart
    return Mark(digest(named if named is not None else value, what), _label(value, named, what), members)


def _named(value: object) -> dict[str, Any] | None:
    """What has names, by them: a mapping, or a list whose items say theirs; None for anything else."""
    if isinstance(value, Mapping):
        return dict(value) if all(isinstance(name, str) for name in value) else None
    if not isinstance(value, list | tuple) or not value:
        return None
    names = [_name(one) for one in value]
    if any(name is None for name in names) or len(set(names)) < len(names):
        return None
    return {str(name): one for name, one in zip(names, value, strict=True)}


def _name(one: object) -> str | None:
    name = one.get("name") if isinstance(one, Mapping) else getattr(one, "name", None)
    if name is None and isinstance(one, Mapping) and isinstance(one.get("function"), Mapping):
        name = one["function"].get("name")  # as some model providers nest it
    return name if isinstance(name, str) else None


def _label(value: object, named: Mapping[str, Any] | None, what: str) -> Safe:
    if isinstance(value, str | bytes) and not value:
        return Safe("none")
    if what == Part.MODEL and isinstance(value, str):
        return word(value, MAX_LABEL)
    return Safe("" if named is None else f"{len(named)} named")


def word(text: str, most: int) -> Safe:
    """A name or a label as it may travel: one line, bounded, without what looks like a secret."""
    return clean(without_secrets(text[: most * 4]), most)
