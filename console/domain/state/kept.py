"""A state that an agent kept in the store: as it is listed, and as another side takes it over."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final, NamedTuple

from console.domain.errors import Refused, UsageError
from console.domain.fence.claims import from_store
from console.domain.state import values
from console.domain.state.pieces import HASH, Pieces
from console.domain.state.state import State
from console.domain.text import Safe, clean

MAX_AGE_S: Final = Decimal(300)
"""Older than this is too stale to take over; exactly this is not."""
_MARK: Final = re.compile(r"[0-9a-f]{64}\Z")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Taken(NamedTuple):
    """Who took a state over.

    Args:
        instance: of the process.
        slot: its side.
        epoch: in force then.
        at: by the store's clock.
    """

    instance: Safe
    slot: Safe
    epoch: int
    at: datetime


@dataclass(frozen=True, slots=True)
class KeptState:
    """A state as the store lists it.

    Args:
        number: rises by one with each.
        hash: the name of its content; equal for equal contents.
        at: when it was last said to be so, by the store's clock.
        slot: of who kept it.
        instance: who kept it: a process, or an operator who put it back.
        epoch: that process acted by.
        action: number of the newest action that it knows of.
        schema: the author's schema version.
        version: of the agent's logic.
        timestamp: the state's own, in epoch seconds.
        size: bytes of its text.
        why: what it was kept for; empty for the ordinary.
        pieces: how it lies in the store.
        manifest: hash of its schema, as its keeper's manifest has it; empty where that declared none.
        taken: who took it over first; None for nobody.
    """

    number: int
    hash: Safe
    at: datetime
    slot: Safe
    instance: Safe
    epoch: int
    action: int
    schema: int
    version: Safe
    timestamp: Decimal | None
    size: int
    why: Safe
    pieces: Pieces
    taken: Taken | None = None
    manifest: str = ""

    def age_s(self, now: datetime) -> Decimal:
        """Seconds from then to `now`, which is the store's clock too; negative for one from the future."""
        delta = now - self.at
        return Decimal(delta.days * 86400 + delta.seconds) + Decimal(delta.microseconds) / 1_000_000


class KeptStates(NamedTuple):
    """What agents kept of their state in the store.

    Args:
        states: newest first.
        problems: what of the list can't be read.
        now: the store's clock.
    """

    states: tuple[KeptState, ...]
    problems: tuple[str, ...]
    now: datetime


def record_rest(state: State, pieces: Pieces, timestamp: Decimal | int, why: str, manifest: str = "") -> str:
    """What of a state's record the script takes as one text. A hash of its schema stands before the reason; an earlier
    release reads it as a part of that."""
    words = (str(state.schema), str(pieces.size), str(timestamp), pieces.layout, clean(state.version, 120))
    return "\n".join((*words, *((manifest,) if manifest else ()), clean(why)))


def read_record(number: int, record: str, hashes: str, taken: str = "") -> KeptState:
    """A listed state from its record.

    Raises:
        Refused: it is damaged.
    """
    try:
        *fixed, last = record.split("\n", 11)
        root, ms, slot, instance, epoch, action, schema, size, timestamp, layout, version = fixed
        *marks, why = last.split("\n", 1)  # an earlier release wrote no mark
        names = tuple(hashes[place : place + HASH] for place in range(0, len(hashes), HASH))
        stamp = None if not timestamp else Decimal(values.number(Decimal(timestamp), "timestamp"))
        return KeptState(
            number, clean(root, HASH), _moment(ms), clean(slot, 24), clean(instance, 160), int(epoch), int(action),
            int(schema), clean(version, 120), stamp, int(size), clean(why),
            Pieces(root, layout, names, int(size)), _read_taken(taken), _read_mark(*marks),
        )  # fmt: skip
    except (ValueError, InvalidOperation, OverflowError, UsageError) as error:
        raise Refused(f"The record of state {number} is damaged: {clean(error, 100)}.") from error


def _read_mark(text: str = "") -> str:
    if text and not _MARK.match(text):
        raise ValueError("its manifest is no hash")
    return text


def _read_taken(text: str) -> Taken | None:
    if not text:
        return None
    instance, slot, epoch, ms = text.split("\n")
    return Taken(clean(instance, 160), clean(slot, 24), int(epoch), _moment(ms))


def _moment(ms: str) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(ms))


class Did(StrEnum):
    """What the store recorded of a money action."""

    CLAIM = "claim"
    """It was permitted; whether it was done is told by a later entry, or in doubt."""
    SETTLE = "settle"
    DOUBT = "doubt"
    RESOLVE = "resolve"
    LATE = "late"
    """A report for a claim that was no longer the reporter's."""
    OWE = "owe"
    """Something is owed from now on, or has changed."""
    PAID = "paid"
    """It is no longer owed."""
    OTHER = "other"
    """What a newer release records; its text has the whole entry."""


@dataclass(frozen=True, slots=True)
class Acted:
    """An entry of the stream of actions.

    Args:
        number: of the entry.
        did: what happened.
        key: the idempotency key; of what is owed, its id.
        at: by the store's clock.
        slot: whose claim it is; empty where the entry doesn't say.
        instance: of the process.
        epoch: of the claim.
        outcome: ok, fail, abort, unknown, executed or not_executed; empty for a claim and a doubt.
        amount: claimed, or won (above zero) and lost; None where the entry has none.
        currency: of the amount.
        text: the action of a claim, the result of an end, why of a doubt.
    """

    number: int
    did: Did
    key: str
    at: datetime
    slot: str
    instance: str
    epoch: int
    outcome: str = ""
    amount: Decimal | None = None
    currency: str = ""
    text: str = ""


_KINDS: Final = frozenset(did.value for did in Did)


def read_action(line: str) -> Acted:
    """An action from its entry's `d`.

    Raises:
        Refused: it is damaged.
    """
    try:
        kind, number, ms, key, *others = line.split("\n")
        did = Did(kind) if kind in _KINDS else Did.OTHER
        if did in (Did.OWE, Did.PAID, Did.OTHER):
            text = line if did is Did.OTHER else "\n".join(others)
            return Acted(int(number), did, key, _moment(ms), "", "", 0, text=text)
        _, instance, slot, epoch, *rest = others
        common = (int(number), did, key, _moment(ms), slot, instance, int(epoch or 0))
        if did is Did.CLAIM:
            return Acted(*common, amount=from_store(rest[1]), currency=rest[2], text="\n".join(rest[4:]))
        if did is Did.DOUBT:
            return Acted(*common, text="\n".join(rest))
        if did is Did.LATE:
            return Acted(*common, outcome=rest[0], amount=from_store(rest[1]), text="\n".join(rest[2:]))
        return Acted(
            *common, outcome=rest[0], amount=from_store(rest[1] or "0"), currency=rest[2], text="\n".join(rest[3:])
        )
    except (ValueError, IndexError, OverflowError) as error:
        raise Refused(
            f"An action can't be read: {clean(error, 100)}.", "`agent-console audit verify` says more."
        ) from error


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What the side that acted before kept, as it was at the very switch.

    Args:
        state: in the schema that this version reads.
        kept: as the store listed it: its hash, when, by which side and instance, in which epoch.
        age_s: seconds since it was kept.
        since: what the store recorded after the newest action that the state knows of, oldest first: none of it may be
            repeated. It may begin with what the state knows of already, never leave something out.
        since_whole: whether `since` is all of it; False where it was archived or is more than is read.
        already: who took this very state over before; None where we are the first.
        migrated: names of the migrations that were applied.
        irreversible: whether one of them has no way back.
    """

    state: State
    kept: KeptState
    age_s: Decimal
    since: tuple[Acted, ...]
    since_whole: bool = True
    already: Taken | None = None
    migrated: tuple[str, ...] = ()
    irreversible: bool = False
