"""Designed errors: each says what happened, to what, and what to do next, and carries its exit code.

The exit codes are API (README, "Exit codes"): 0 done, 1 the answer is no, 2 usage or configuration, 3 store
unreachable, 4 refused (gate, conflict, stale, read-only), 130 interrupted.
"""

from __future__ import annotations

from typing import NamedTuple

EXIT_DONE = 0
EXIT_NO = 1
EXIT_USAGE = 2
EXIT_UNREACHABLE = 3
EXIT_REFUSED = 4
EXIT_INTERRUPTED = 130


class ClosedGate(NamedTuple):
    """A gate that forbids what was asked.

    Args:
        name: its one name everywhere.
        state: closed, unknown, or not checked where it is required.
        evidence: in numbers; for a lack, which one it is.
    """

    name: str
    state: str
    evidence: str


class ConsoleError(Exception):
    """Something an operator must be told.

    Args:
        message: what happened, and to what; one sentence.
        hint: what to do next; may be empty where nothing can be done.
    """

    exit_code = EXIT_NO
    title = "Failed"
    gates: tuple[ClosedGate, ...] = ()
    """The gates that forbid it; empty for every other error."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(ConsoleError):
    """The command line or the configuration can't be understood."""

    exit_code = EXIT_USAGE
    title = "Usage"


class StoreUnreachable(ConsoleError):  # noqa: N818 - it is a state of the world, named as operators name it
    """The store did not answer; what it holds is unknown, which is not the same as empty."""

    exit_code = EXIT_UNREACHABLE
    title = "Store unreachable"


class WritesRefused(StoreUnreachable):
    """The store answered that it doesn't do that now, or not for us: it was not carried out, which is certain."""

    title = "Store refuses"


class NoHello(WritesRefused):
    """The store refuses the handshake of RESP3, or to speak it; RESP2 it may speak all the same."""


class NotPermitted(WritesRefused):
    """The store's user that we are may not do that, or not with these keys: another one's keys may be fine."""

    exit_code = EXIT_REFUSED
    title = "Not permitted"


class NotCarriedOut(WritesRefused):
    """A command that the store refused: it was not carried out, which is certain."""

    exit_code = EXIT_REFUSED
    title = "Not carried out"


class Refused(ConsoleError):  # noqa: N818
    """The request was understood and not carried out; nothing was changed."""

    exit_code = EXIT_REFUSED
    title = "Refused"


class NotPrimary(Refused):
    """The server is a replica: what it holds may be old, and nothing can be changed on it."""

    title = "A replica"


class KeysMoved(Refused):
    """An agent's keys have come to another server since that was looked at which had them; nothing was sent to it."""

    title = "Moved"


class GatesClosed(Refused):
    """Gates forbid to raise risk now; nothing was changed.

    Args:
        message, hint: as of every error.
        gates: those that forbid it, with their evidence.
    """

    title = "Gates closed"

    def __init__(self, message: str, hint: str, gates: tuple[ClosedGate, ...]) -> None:
        super().__init__(message, hint)
        self.gates = gates


class Conflict(Refused):
    """Somebody else changed what this request was based on; nothing was changed by it."""

    title = "Conflict"


class GatesMoved(Conflict):
    """What gates were asked about is otherwise by now; nothing was changed. Asked again, they say what is so."""


class ReadOnly(Refused):
    """This console may look and not touch."""

    title = "Read-only"
