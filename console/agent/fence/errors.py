"""Why an action may not be taken, and what an author raises to say how one ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.domain.errors import Refused
from console.domain.fence.claims import Done
from console.store.fence.claims import ClaimCode, ClaimReply

if TYPE_CHECKING:
    from console.domain.state.kept import Acted


class ActionRefused(Refused):
    """The action was not permitted, and nothing was sent.

    Args:
        message, hint: see `ConsoleError`.
        code: what the store said; None where it was not even asked.
    """

    def __init__(self, message: str, hint: str = "", code: ClaimCode | None = None) -> None:
        super().__init__(message, hint)
        self.code = code


class StandBy(ActionRefused):
    """Not our turn: the other side is active, a switch is draining, or the store can't be asked. Try again next
    round."""


class Halted(ActionRefused):
    """Stopped by an operator, a trigger, the halt file, or a level that forbids this direction."""


class LimitReached(ActionRefused):
    """A cap on open claims or on money stands in the way."""


class Busy(ActionRefused):
    """Another claim holds this key and has not ended."""


class InDoubt(ActionRefused):
    """Nobody knows whether this key was executed, or its first sending is so long ago that the venue may have forgotten
    it; it needs evidence (`controller.resolve`), not another try."""


class NotOurs(ActionRefused):
    """The commitment that it names is over, or another side's."""


class KeyReused(ActionRefused):
    """The key was used with other parameters: a defect in how keys are built."""


class AlreadyDone(ActionRefused):
    """The key has ended before; `done` holds its recorded result."""

    def __init__(self, message: str, done: Done) -> None:
        super().__init__(message, "", ClaimCode.DONE)
        self.done = done


class NoState(Refused):
    """There is no state to take over.

    Attributes:
        since: every action that the store has recorded, so that nothing just done is done again all the same.
        since_whole: whether that is all of them.
    """

    since: tuple[Acted, ...] = ()
    since_whole: bool = False


class StateTooOld(Refused):
    """The state to take over is too old, or from the future."""


class StateOfOtherSchema(Refused):
    """The state to take over has another schema than this version reads, and no migration leads to ours."""


class NotSent(Exception):  # noqa: N818 - it says what happened
    """Raised inside an action: it was provably not sent. The key is free again."""


class LeaseEnded(NotSent):
    """Too little is left of the lease for the action to be sent safely."""


class DefinitiveFailure(Exception):  # noqa: N818
    """Raised inside an action: the venue refused it; it was not executed and the key is used up."""


class AuthenticationFailure(DefinitiveFailure):
    """The venue does not accept our credentials: a definitive failure that also rolls back at once."""


def refusal(key: str, reply: ClaimReply) -> ActionRefused:
    """The designed error for a claim that was not granted."""
    code, detail = reply.code, reply.detail
    if code is ClaimCode.DONE and reply.done is not None:
        return AlreadyDone(f"{key} has ended before: {reply.done.outcome}.", reply.done)
    kind, message, hint = _REFUSALS.get(code, (StandBy, f"the store said {code}", ""))
    return kind(f"{key} was not claimed: {message.format(detail=detail)}.", hint, code)


_REFUSALS: dict[ClaimCode, tuple[type[ActionRefused], str, str]] = {
    ClaimCode.BUSY: (Busy, "{detail} holds it", "Wait until it has ended."),
    ClaimCode.IN_DOUBT: (
        InDoubt,
        "it is in doubt since a claim by {detail}",
        "Resolve it with evidence: controller.resolve(probe), or agent-console doubts.",
    ),
    ClaimCode.PAST_WINDOW: (
        InDoubt,
        "it was sent first {detail}, and the venue may have forgotten the key: it is never sent again",
        "Resolve it by the venue's history. If it was not executed its key is used up: another key is another intent.",
    ),
    ClaimCode.MISMATCH: (
        KeyReused,
        "the key was used with other parameters",
        "One key stands for one intent: derive it from all that makes the intent.",
    ),
    ClaimCode.STALE_HELD: (StandBy, "who may act changed while it was being claimed", ""),
    ClaimCode.HALTED: (Halted, "everything is halted", "Resuming is the operator's: agent-console resume."),
    ClaimCode.LEVEL: (Halted, "the level in force forbids this direction", ""),
    ClaimCode.DRAINING: (StandBy, "a switch to {detail} is draining", ""),
    ClaimCode.NOT_ACTIVE: (StandBy, "{detail} is active", ""),
    ClaimCode.STALE: (StandBy, "who may act has just changed", ""),
    ClaimCode.DIVERGED: (StandBy, "somebody wrote the plain key by hand: {detail}", ""),
    ClaimCode.OWED: (NotOurs, "there is such a commitment, opened by {detail}", "Change it, or name it otherwise."),
    ClaimCode.NOT_OWED: (
        NotOurs,
        "the commitment {detail} is not owed (any more)",
        "Look: controller.commitments.all().",
    ),
    ClaimCode.NAMED: (Busy, "the claim {detail} names the same commitment", "Wait until it has ended."),
    ClaimCode.NOT_OWNER: (
        NotOurs,
        "the commitment is {detail}'s",
        "It is given over by: agent-console commitments give.",
    ),
    ClaimCode.LIMIT: (LimitReached, "the cap on {detail} is reached", ""),
    ClaimCode.NOINIT: (StandBy, "the store has no authority", "Make a side active: agent-console switch blue."),
    ClaimCode.REGRESSED: (
        Halted,
        "the store went back in time and is halted now",
        "Look at its failover and its data.",
    ),
    ClaimCode.BADEPOCH: (Halted, "its epoch lies far in the future", "Look at the clocks of the store and this host."),
    ClaimCode.BADARG: (KeyReused, "the store can't record these parameters", "Leave out control characters."),
}
