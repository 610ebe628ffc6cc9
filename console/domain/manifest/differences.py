"""What differs between two manifests, part by part."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from console.domain.manifest.manifest import Manifest
from console.domain.manifest.mark import Mark, Part

SHOWN: Final = 6
"""Members that are named in words."""


class Verdict(StrEnum):
    """Whether a part is the same in both."""

    SAME = "same"
    CHANGED = "changed"
    UNKNOWN = "unknown"
    """One of them, or both, did not declare it: nobody can tell."""


class Difference(NamedTuple):
    """One part of two manifests.

    Args:
        part: which.
        verdict: whether it is the same.
        before, after: as each declares it.
        fields: members that were added (`+name`), taken away (`-name`) or changed (`name`), where both list them.
    """

    part: Part
    verdict: Verdict
    before: Mark
    after: Mark
    fields: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Which part, and what of it: `flags (+max_bets, crash_target)`."""
        named = ", ".join(self.fields[:SHOWN]) + (", …" if len(self.fields) > SHOWN else "")
        return f"{self.part.value} ({named})" if named else self.part.value


def differences(before: Manifest, after: Manifest) -> tuple[Difference, ...]:
    """All six parts, in their order."""
    return tuple(_between(part, before.mark(part), after.mark(part)) for part in Part)


def changed(before: Manifest, after: Manifest) -> tuple[Difference, ...]:
    """The parts that are not the same; what nobody can tell is among them where one of the two declares it."""
    return tuple(
        one
        for one in differences(before, after)
        if one.verdict is Verdict.CHANGED or (one.verdict is Verdict.UNKNOWN and one.before.known != one.after.known)
    )


def same(before: Manifest, after: Manifest) -> bool:
    """Whether every part is known and the same in both."""
    return all(one.verdict is Verdict.SAME for one in differences(before, after))


def _between(part: Part, before: Mark, after: Mark) -> Difference:
    if not before.known or not after.known:
        return Difference(part, Verdict.UNKNOWN, before, after)
    if before.hash == after.hash:
        return Difference(part, Verdict.SAME, before, after)
    return Difference(part, Verdict.CHANGED, before, after, _fields(before, after))


def _fields(before: Mark, after: Mark) -> tuple[str, ...]:
    if not before.members or not after.members:
        return ()
    was, now = dict(before.members), dict(after.members)
    told = {**was, **now}
    return tuple(
        f"-{name}" if name not in now else f"+{name}" if name not in was else str(name)
        for name in told
        if was.get(name) != now.get(name)
    )
