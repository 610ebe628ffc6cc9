"""What a venue's history says of an action whose outcome nobody knows, and how much that is worth.

*Executed* takes the venue's own record of it, under our key. That there is none proves little: the history may not
reach back so far, may not show it yet, or its holder may still send it; so *not there* is handed to the protocol, whose
scripts ask for more, and everything that is not clear is asked of a person.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from console.domain.text import Safe, clean
from console.domain.venue.reading import Reading
from console.domain.venue.things import Act, History


class Says(StrEnum):
    """What the history says."""

    EXECUTED = "executed"
    NOT_THERE = "not there"
    """The history reaches back beyond the claim, was read when it surely shows it, and does not have it."""
    ASK = "ask"
    """A person has to look."""


class Verdict(NamedTuple):
    """What the history says of one key.

    Args:
        says: executed, not there, or ask.
        evidence: what was seen, where and when: it goes into the record; never empty.
        pnl: what it brought, where the venue says that.
        times: how often the venue has executed it; more than once is a double execution.
    """

    says: Says
    evidence: Safe
    pnl: Decimal = Decimal(0)
    times: int = 0


class Wanted(NamedTuple):
    """The action that is looked for.

    Args:
        key: its idempotency key.
        claimed_at: before it nothing of it can be there.
        ended_at: when its lease ended: its holder sent it before, if it kept to its lease.
        amount: what it risked.
    """

    key: str
    claimed_at: datetime
    ended_at: datetime
    amount: Decimal


def verdict(
    wanted: Wanted, reading: Reading[History], *, failed: frozenset[str], tolerance: Decimal, visible_s: float
) -> Verdict:
    """What a history says of an action.

    Args:
        wanted: the action.
        reading: the history.
        failed: the venue's words for an act that it has refused or undone.
        tolerance: by how much amounts may differ.
        visible_s: seconds until the history surely shows what was done.
    """
    where = f"{reading.source} at {reading.taken_at.isoformat(timespec='milliseconds')}"
    if reading.value is None:
        return Verdict(Says.ASK, clean(f"{where}: unknown, {reading.words()}"))
    acts = [act for act in reading.value.acts if act.key == wanted.key]
    done = [act for act in acts if act.status not in failed]
    if len(done) == 1:
        return _executed(wanted, done[0], tolerance, where)
    if done:
        ids = ", ".join(act.id for act in done[:5])
        return Verdict(Says.ASK, clean(f"{where}: executed {len(done)} times under this key: {ids}"), times=len(done))
    if acts:
        return Verdict(Says.ASK, clean(f"{where}: {acts[0].id} has this key and is {acts[0].status}"))
    times = [act.at for act in reading.value.acts]
    reaches = reading.value.whole or any(at is not None and at < wanted.claimed_at for at in times)
    if not reaches:
        return Verdict(
            Says.ASK, clean(f"{where}: not in its {len(times)} entries, which don't reach back to the claim")
        )
    if (reading.taken_at - wanted.ended_at).total_seconds() < visible_s:
        return Verdict(Says.ASK, clean(f"{where}: not there, and it may not show it yet"))
    return Verdict(
        Says.NOT_THERE, clean(f"{where}: no entry with this key among {len(times)}, which reach back beyond it")
    )


def _executed(wanted: Wanted, act: Act, tolerance: Decimal, where: str) -> Verdict:
    if act.at is not None and (wanted.claimed_at - act.at).total_seconds() > 60:
        return Verdict(
            Says.ASK, clean(f"{where}: {act.id} has this key and is older than the claim, of {act.at}"), times=1
        )
    if act.amount is not None and abs(abs(act.amount) - abs(wanted.amount)) > tolerance:
        return Verdict(
            Says.ASK, clean(f"{where}: {act.id} has this key, over {act.amount:f} and not {wanted.amount:f}"), times=1
        )
    at = f" at {act.at.isoformat(timespec='milliseconds')}" if act.at else ""
    return Verdict(Says.EXECUTED, clean(f"{where}: {act.id}{at} has this key"), act.pnl or Decimal(0), 1)
