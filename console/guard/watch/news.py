"""Control events that people must be told of: each once, whichever guards run, and none lost while none runs."""

from __future__ import annotations

from collections.abc import Sequence

from console.guard.hear.fenced import place_of
from console.guard.keep.control import Event
from console.guard.keep.state import GuardState
from console.guard.watch.watch import Watch


class News:
    """Reads the control stream on from where guards have told of it.

    Args:
        state: for reading, and for the common place in the stream.
        watch: makes alerts of events.
    """

    __slots__ = ("_state", "_watch", "place")

    def __init__(self, state: GuardState, watch: Watch) -> None:
        self._state = state
        self._watch = watch
        self.place = "0-0"
        """Up to where in the stream people were told."""

    async def begin(self, events: Sequence[Event]) -> None:
        """Go on where the last guard was; without one before us, only what is to come is news.

        Args:
            events: the newest ones.
        """
        kept = str((await self._state.noted("cursor")).get("id", ""))
        newest = events[-1].id if events else "0-0"
        self.place = kept if (0, 0) < place_of(kept) <= place_of(newest) else newest

    async def take(self) -> None:
        """Tell of what is new.

        Raises:
            StoreUnreachable: no answer; what was not told of is told of next time.
        """
        while events := await self._state.events(after=self.place):
            for event in events:
                await self._watch.tell_of(event)
                self.place = event.id
            await self._state.remember("cursor", {"id": self.place})

    async def again(self) -> None:
        """Look at the newest event once more: whether a halt stays one is known a moment after it."""
        for event in await self._state.events(count=1):
            await self._watch.tell_of(event)
