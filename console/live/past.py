"""The past of a store and its logs, moment by moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from console.domain.errors import Refused
from console.domain.seen.kept import Kept
from console.domain.seen.looking import Looking, LookingKind
from console.domain.seen.observation import Link, LinkState, LogReading, Observation
from console.domain.seen.past import marks_at, missing_at, store_at
from console.domain.seen.timeline import Mark
from console.domain.text import Safe, clean

BEFORE: Final = Safe("nothing of that time is on record")


class PastTimeline:
    """A `Timeline` over what is kept; it blocks, and is asked on a thread.

    Args:
        kept: what the store, or an evidence file, keeps.
        logs_at: the logs as they stood at a moment; None where there are none.
        url: of the store, redacted.
        ahead: how far the store's clock is ahead of ours: its entries go by its own, moments by ours.
    """

    def __init__(
        self,
        kept: Kept,
        logs_at: Callable[[datetime], LogReading] | None,
        url: Safe,
        ahead: timedelta = timedelta(0),
    ) -> None:
        self._kept = kept
        self._logs_at = logs_at
        self._url = url
        self._ahead = ahead
        self._marks = tuple(mark._replace(at=mark.at - ahead) for mark in marks_at(kept))

    def bounds(self) -> tuple[datetime, datetime]:
        """From the first thing that is kept until it was read."""
        return (self._marks[0].at if self._marks else self._kept.read_at), self._kept.read_at

    def at(self, moment: datetime) -> Observation:
        """What was to be seen then.

        Raises:
            Refused: it is later than what is kept, or a log can't be read.
        """
        if moment > self._kept.read_at:
            raise Refused("That moment is still to come.", ":live is the present.")
        try:
            logs = self._logs_at(moment) if self._logs_at is not None else None
        except OSError as error:
            raise Refused(f"The decision logs of that moment can't be read: {error.strerror or error}.") from error
        return Observation(
            agent=clean(self._kept.agent, 64),
            now=moment,
            link=Link(LinkState.LIVE, self._url),
            store=store_at(self._kept, moment + self._ahead)._replace(at=moment),
            logs=logs,
            read_only=True,
        )

    def marks(self) -> Sequence[Mark]:
        """The events, oldest first."""
        return self._marks

    def missing(self, moment: datetime) -> tuple[Safe, ...]:
        """What of that moment is not kept."""
        return missing_at(self._kept, moment + self._ahead)

    def looked_at(self, moment: datetime, kind: LookingKind = LookingKind.PAST) -> Observation:
        """The same, saying that it is of that moment, and what of it is not kept.

        Raises:
            Refused: it is later than what is kept, or a log can't be read.
        """
        observation = self.at(moment)
        first, last = self.bounds()
        missing = self.missing(moment)
        if moment < first:
            missing = (BEFORE, *missing)
        return observation._replace(looking=Looking(kind, moment, min(first, moment), last, missing=missing))
