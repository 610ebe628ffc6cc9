"""How an action ends when its block is left: a pure decision."""

from __future__ import annotations

from console.agent.fence.ended import Ending, causes, describe
from console.agent.fence.errors import ActionRefused, AuthenticationFailure, DefinitiveFailure, NotSent
from console.agent.fence.settings import Settings
from console.domain.fence.claims import Outcome

__all__ = ["Ending", "describe", "ending", "is_handled"]


def ending(error: BaseException | None, settings: Settings) -> Ending:
    """How a block that did not settle by itself ends.

    An exception that means nothing by itself is judged by its cause (`raise … from …`), and that by its own.

    Args:
        error: what it was left with; None when it ran to its end without saying how the action ended.
        settings: which exceptions are definitive, which are doubtful, and what those of the venue's client mean.
    """
    if error is None:
        return Ending(Outcome.UNKNOWN, "", "the block ended without saying how the action ended")
    if not isinstance(error, Exception) and not isinstance(error, settings.definitive):
        return Ending(Outcome.UNKNOWN, "", describe(error))
    for link in causes(error):
        if (end := _alone(link, settings)) is not None:
            return end if link is error else end._replace(text=f"{describe(error)}, from {end.text}")
    return Ending(Outcome.UNKNOWN, f"unhandled {type(error).__name__}", describe(error))


def is_handled(error: Exception, settings: Settings, settled: Outcome | None) -> bool:
    """Whether an author's loop goes on after an exception: its action has ended by a rule, without a trigger.

    Args:
        error: what the round was left with.
        settings: see `ending`.
        settled: how the round's action ended; None where none was claimed. A definitive failure is an end of an action
            alone: anything else that is refused for good, such as writing the state, is an exception like others.
    """
    end = ending(error, settings)
    return not end.trigger and (end.outcome is not Outcome.FAIL or settled is Outcome.FAIL)


def _alone(error: BaseException, settings: Settings) -> Ending | None:
    """What an exception means by itself; None if it is one that nobody has named."""
    if isinstance(error, NotSent):
        return Ending(Outcome.ABORT, "", describe(error))
    if isinstance(error, AuthenticationFailure):
        return Ending(Outcome.FAIL, "authentication failure", describe(error))
    if isinstance(error, (DefinitiveFailure, *settings.definitive)):
        return Ending(Outcome.FAIL, "", describe(error))
    if isinstance(error, ActionRefused):  # that one was not sent; what this one had sent before, nobody knows
        return Ending(Outcome.UNKNOWN, "", f"an action inside it was refused: {describe(error)}")
    if settings.venue is not None and (end := settings.venue.alone(error)) is not None:
        return end
    if isinstance(error, settings.doubtful):
        return Ending(Outcome.UNKNOWN, "", describe(error))
    if isinstance(error, ExceptionGroup):
        return _together(error, settings)
    return None


def _together(group: ExceptionGroup[Exception], settings: Settings) -> Ending:
    """Several at once, as a TaskGroup raises them: what was cancelled beside them may have been sent, so nobody knows.
    One that shows a trigger is enough."""
    ends = [ending(error, settings) for error in group.exceptions]
    telling = next((end for end in ends if end.trigger), ends[0])
    return Ending(Outcome.UNKNOWN, telling.trigger, f"{describe(group)}: {telling.text}")
