"""How an action ends when its block is left: a pure decision."""

from __future__ import annotations

from typing import NamedTuple

from console.agent.fence.errors import AuthenticationFailure, DefinitiveFailure, NotSent
from console.agent.fence.settings import Settings
from console.domain.fence.claims import MAX_TEXT, Outcome


class Ending(NamedTuple):
    """What is settled, the critical trigger it shows (empty for none), and the text that is recorded."""

    outcome: Outcome
    trigger: str
    text: str


def describe(error: BaseException) -> str:
    """An exception in one line."""
    try:
        words = str(error)
    except Exception:  # noqa: BLE001 - an exception whose own words fail is told by its type
        words = "(it can't be put into words)"
    return f"{type(error).__name__}: {words}"[: MAX_TEXT // 64].replace("\n", " ")


def ending(error: BaseException | None, settings: Settings) -> Ending:
    """How a block that did not settle by itself ends.

    Args:
        error: what it was left with; None when it ran to its end without saying how the action ended.
        settings: which exceptions are definitive, which are doubtful.
    """
    if error is None:
        return Ending(Outcome.UNKNOWN, "", "the block ended without saying how the action ended")
    if isinstance(error, NotSent):
        return Ending(Outcome.ABORT, "", describe(error))
    if isinstance(error, AuthenticationFailure):
        return Ending(Outcome.FAIL, "authentication failure", describe(error))
    if isinstance(error, (DefinitiveFailure, *settings.definitive)):
        return Ending(Outcome.FAIL, "", describe(error))
    if isinstance(error, settings.doubtful) or not isinstance(error, Exception):
        return Ending(Outcome.UNKNOWN, "", describe(error))
    return Ending(Outcome.UNKNOWN, f"unhandled {type(error).__name__}", describe(error))
