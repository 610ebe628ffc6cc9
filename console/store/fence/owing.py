"""What is owed, as the script `owe` takes it: found at the venue, ended there, given to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from console.domain.commitments.commitment import Commitment, HandOver, Op, Owed, checked_id, read_owed, to_record
from console.domain.errors import Refused, UsageError
from console.domain.fence.deployment import Slot
from console.store.fence.calls import Call, audit_pairs, base_keys, checked_words
from console.store.fence.replies import texts
from console.store.keys import Keys

MOST: Final = 100
"""Most commitments that one call changes."""


class OweCode(StrEnum):
    """What the store says. All that a call asks for is carried out, or nothing of it."""

    DONE = "DONE"
    NOINIT = "NOINIT"
    BADARG = "BADARG"
    OWED = "OWED"
    NOT_OWED = "NOT_OWED"
    NAMED = "NAMED"
    """A claim in flight names it: how that ends decides."""


class OweReply(NamedTuple):
    """The answer: the running epoch, the list's revision, and which commitment it stopped at."""

    code: OweCode
    epoch: int
    revision: int
    at: str = ""


class Step(NamedTuple):
    """One change; made by `put`, `over` and `give`."""

    op: str
    id: str
    value: str


def put(commitment: Commitment, *, new: bool = False) -> Step:
    """It is owed, as this says; with `new`, only if there was none of its id."""
    return Step(Op.OPEN if new else "put", checked_id(commitment.id), to_record(commitment))


def over(name: str, why: str) -> Step:
    """It is over."""
    return Step(Op.CLOSE, checked_id(name), checked_words(why, "A reason"))


def give(name: str, to: Slot | None, policy: HandOver) -> Step:
    """It is taken by a slot, or (None) by whoever is active."""
    return Step("give", checked_id(name), f"{to.value if to else ''}\n{policy.value}")


class Who(NamedTuple):
    """Who says so.

    Args:
        by: a name.
        slot, version, epoch: of an instance; empty for an operator, who can't put commitments of his own.
    """

    by: str
    slot: str = ""
    version: str = ""
    epoch: int = 0


def owe(keys: Keys, who: Who, steps: Sequence[Step], audit: Mapping[str, str] | None = None) -> Call[OweReply]:
    """The call that changes up to `MOST` commitments in one step.

    Raises:
        UsageError: there are more, or none.
    """
    if not 1 <= len(steps) <= MOST:
        raise UsageError(f"One call changes 1 to {MOST} commitments, not {len(steps)}.")
    args = (
        checked_words(who.by, "A name"),
        who.slot,
        who.version,
        str(who.epoch),
        str(len(steps)),
        *(text for step in steps for text in step),
        *audit_pairs(audit),
    )
    return Call("owe", (*base_keys(keys), keys.audit), args, owe_reply)


def owe_reply(reply: Any) -> OweReply:
    """Parse the answer of owe.lua."""
    code, epoch, revision, at = texts(reply)
    return OweReply(OweCode(code), int(epoch), int(revision), at)


def whole_list(owed: Mapping[Any, Any], named: Mapping[Any, Any]) -> tuple[Owed, ...]:
    """Every commitment, by deadline.

    Raises:
        Refused: one of them can't be read: half a list is none.
    """
    listed = read_owed(owed, named)
    if len(listed) != len(owed):
        raise Refused(
            f"{len(owed) - len(listed)} of {len(owed)} commitments can't be read.", "Look at the agent's key …owed."
        )
    return listed


def batches(steps: Iterable[Step]) -> list[tuple[Step, ...]]:
    """Any number of changes as calls of at most `MOST`."""
    whole = tuple(steps)
    return [whole[begin : begin + MOST] for begin in range(0, len(whole), MOST)]
