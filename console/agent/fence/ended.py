"""How an action ended, as a value; below the settings, which hold what tells it of a venue's errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CodeType
from typing import NamedTuple

from console.domain.fence.claims import MAX_TEXT, Outcome
from console.domain.secrets import without_secrets


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
    words = without_secrets(words[:MAX_TEXT].replace("\n", " "))  # before it is cut: no half of a secret stays
    return f"{type(error).__name__}: {words}"[: MAX_TEXT // 64]


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception, what it was raised from, and so on; never what merely was being handled meanwhile."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__


def passed(error: BaseException, code: CodeType) -> bool:
    """Whether an exception has left a function, as its traceback tells."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is code:
            return True
        trace = trace.tb_next
    return False


class VenueErrors(NamedTuple):
    """How the exceptions of one HTTP client end an action; `console.agent.venues` has them ready.

    Args:
        library: the client's name.
        judge: what one exception of the client's means by itself; None for an exception that isn't the client's.
        entrances: the functions through which the client is entered; what has left one of them was a request.
    """

    library: str
    judge: Callable[[BaseException], Ending | None]
    entrances: tuple[CodeType, ...] = ()

    def ending(self, error: BaseException) -> Ending | None:
        """What an exception means, by itself or by what it was raised from; None where neither is the client's."""
        return next((end for link in causes(error) if (end := self.alone(link)) is not None), None)

    def alone(self, error: BaseException) -> Ending | None:
        """What an exception means by itself.

        Where it shows that it was raised while the doubt of an earlier request was being handled, it says nothing of
        that one: then nobody knows.
        """
        end = self.judge(error)
        if end is None or end.outcome is Outcome.UNKNOWN:
            return end
        doubt = next((before for before in _handled(error) if self._doubtful(before)), None)
        if doubt is None:
            return end
        return Ending(Outcome.UNKNOWN, end.trigger, f"{end.text} (after {describe(doubt)})")

    def _doubtful(self, error: BaseException) -> bool:
        end = self.judge(error)
        if end is not None:
            return end.outcome is Outcome.UNKNOWN
        return any(passed(error, code) for code in self.entrances)  # a time-out around the request, a cancellation


def _handled(error: BaseException) -> Iterator[BaseException]:
    """What was being handled, or was the cause, when an exception was raised; all the way back."""
    seen, todo = {id(error)}, [error]
    while todo:
        link = todo.pop()
        for before in (link.__context__, link.__cause__):
            if before is not None and id(before) not in seen:
                seen.add(id(before))
                todo.append(before)
                yield before
