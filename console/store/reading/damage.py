"""What a store has lost, or holds wrong, of what only the scripts write: seen in one reading, and against this host's
memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from console.domain.fence.deployment import Authority
from console.domain.text import Safe, clean
from console.store.fence.holding import Holding
from console.store.fence.memory import Memory, default_memory, missing
from console.store.fence.replies import Mark, Seen, text
from console.store.server.sentinel import standing_of

if TYPE_CHECKING:
    from redis.asyncio import Redis

DATA_FIELDS: Final = ("lin", "was", "an", "ln", "on", "fn")
"""Fields of `…:ctl` that tell what ought to be there."""
_NAMES: Final = (
    "the authority",
    "claims in flight",
    "open claims",
    "the authority",
    "the actions",
    "the control events",
)


class Damage:
    """Looks at each reading of one agent's store.

    Args:
        client: of the store.
        agent: whose.
    """

    def __init__(self, client: Redis, agent: str) -> None:
        self._client = client
        self._agent = agent
        self._memory: Memory | None = None
        self._holding = Holding(partial(standing_of, client))

    def look(self, values: Sequence[Any], authority: Authority | None) -> tuple[Safe, ...]:
        """What is wrong, in words.

        Args:
            values: the replies, of one moment: the authority's hash, claims in flight, open claims, `DATA_FIELDS`, and
                the newest entry of the actions and of the control events.
            authority: as it was read.
        """
        wrong = {
            f"{name} can't be read: {value}": None
            for name, value in zip(_NAMES, values, strict=True)
            if isinstance(value, Exception) or not isinstance(value, list | int)
        }
        if not wrong:
            wrong = dict.fromkeys(self._compared(values, authority))
        return tuple(clean(words, 200) for words in wrong)

    def _compared(self, values: Sequence[Any], authority: Authority | None) -> list[str]:
        _, flying, unended, fields, actions, events = values
        lineage, before, *numbers = ["" if value is None else text(value) for value in fields]
        newest_action, newest_event, claims, leases = (int(word) if word.isdecimal() else None for word in numbers)
        wrong = []
        if authority is not None:
            if claims is not None and unended != claims:
                wrong.append(f"{unended} of {claims} open claims are there")
            if leases is not None and flying != leases:
                wrong.append(f"{flying} of {leases} leases are there")
            for what, entries, head in (
                ("actions", actions, authority.action_head),
                ("control events", events, authority.log_head),
            ):
                if head and _hash_of(entries) != head:
                    wrong.append(f"the newest {what} are missing")
        memory = self._remembered()
        now = Seen(
            authority.epoch if authority else 0,
            lineage,
            _mark(newest_action, actions),
            _mark(newest_event, events),
        )
        lost = missing(memory.seen, now, before)
        if lost:
            wrong.append(f"the store went back: {lost}")
        elif authority is not None and lineage and not wrong:
            memory.take(self._holding.held(now, memory.seen, time.monotonic()))
        return wrong

    def close(self) -> None:
        """Let go of the file that remembers; it stays."""
        if self._memory is not None:
            self._memory.close()

    def _remembered(self) -> Memory:
        if self._memory is None:
            self._memory = default_memory(self._client, self._agent)
        return self._memory


def _hash_of(entries: Any) -> str:
    fields = entries[0][1] if entries else ()
    pairs = fields.items() if isinstance(fields, dict) else zip(fields[::2], fields[1::2], strict=False)
    return next((text(value) for name, value in pairs if text(name) == "h"), "")


def _mark(number: int | None, entries: Any) -> Mark:
    return Mark(number or 0, text(entries[0][0]) if entries else "", _hash_of(entries))
