"""What a command did: the receipt an operator sees, and the same receipt as the audit stream holds it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from console.domain.fence.intent import Source
from console.domain.text import Safe

FLAG: Final = "flag:"
"""What the name of a changed flag begins with."""


class Change(NamedTuple):
    """One value that a command changed.

    Args:
        what: the key; `FLAG` and its name for a flag.
        before, after: its value; None where it did not exist.
    """

    what: str
    before: str | None
    after: str | None


class Receipt(NamedTuple):
    """The result of one command that was carried out.

    Args:
        id: unique; the audit entry carries the same.
        at: server time at which it took effect.
        command: its name, as on the command line.
        agent: on whose keys.
        changes: what was, what is.
        elapsed_ms: from the call until the store had answered.
        who: user@host (or the name given).
        why: the reason given; may be empty.
        epoch: the epoch after it; 0 where the command does not touch who may act.
        note: one sentence for people.
        reversible: whether `undo` can take it back while nothing has changed since.
        acknowledged: instances that have seen the new epoch, out of `expected_acks`, by name.
        expected_acks: instances that have to.
    """

    id: str
    at: datetime
    command: str
    agent: str
    changes: tuple[Change, ...]
    elapsed_ms: float
    who: str
    why: str = ""
    epoch: int = 0
    note: str = ""
    reversible: bool = False
    acknowledged: tuple[str, ...] = ()
    expected_acks: tuple[str, ...] = ()


class AuditEntry(NamedTuple):
    """A receipt as read back from the audit stream; its text is from outside again and made safe.

    Args:
        stream_id: the entry's id in the stream.
        undoes: the id of the receipt that this one took back; empty for most.
        problem: what could not be read of it; the rest is shown all the same.
        source: who acted; unknown where an earlier release wrote it.
        trigger: the name of what a trigger saw; empty for none, and where an earlier release wrote it.
        amount, currency: the money it saw; None where it saw none.
        login: as which user the store knew who acted; empty where that is not known.
    """

    stream_id: str
    id: Safe
    at: datetime
    command: Safe
    who: Safe
    why: Safe
    changes: tuple[Change, ...] = ()
    elapsed_ms: float | None = None
    epoch: int = 0
    note: Safe = Safe("")
    reversible: bool = False
    undoes: Safe = Safe("")
    problem: Safe = Safe("")
    source: Source = Source.UNKNOWN
    trigger: Safe = Safe("")
    amount: Decimal | None = None
    currency: Safe = Safe("")
    login: Safe = Safe("")
