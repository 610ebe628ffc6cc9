"""What a guard tells people of an agent's venue: once for each episode, by whichever guard sees it first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from console.domain.guard.alerts import Alert, AlertKind, alert_id
from console.domain.text import Safe, clean
from console.domain.triggers.finding import Severity
from console.domain.venue.judge import Item
from console.domain.venue.reading import Why
from console.guard.keep.charge import Charge
from console.store.fence.replies import text

CONFIRM: Final = 3
"""Looks in a row that have to see it: local books are written a moment after the venue has moved the money."""
AT_ONCE: Final = frozenset(
    {Why.NOBODYS, Why.UNWATCHED, Why.MONITOR_STOPPED, Why.DISPUTED, Why.UNAUTHORISED, Why.PAYEE_WRONG}
)
"""What no second look makes any better."""
_HIGH: Final = frozenset(
    {Why.BOOKS_DIFFER, Why.NOBODYS, Why.UNWATCHED, Why.MONITOR_STOPPED, Why.PAYEE_WRONG, Why.OVERDUE, Why.EARLY}
)
_PREFIX: Final = "venue/"
_ALONE: Final = AT_ONCE | _HIGH
"""What is told for each thing; all else is told together: a venue that is down is one piece of news and not ten."""
_TOGETHER: Final = frozenset({Why.UNAUTHORISED, Why.PAYEE_UNSET})
"""Told once for each reason, whatever it is about."""


class Alarm:
    """Raises alerts about one agent's venue.

    Args:
        charge: the agent.
        clock: the time now.
    """

    def __init__(self, charge: Charge, clock: Callable[[], datetime]) -> None:
        self._charge, self._clock = charge, clock
        self._seen: dict[str, int] = {}

    async def take(self, closed: Iterable[Item]) -> None:
        """What closes gates by now; an episode begins where it was seen often enough, and ends where it isn't seen.

        Raises:
            StoreUnreachable: no answer.
        """
        state = self._charge.state
        now_closed = _episodes(closed)
        noted = {text(name) for name in await state.hash(state.names.trips)}
        for name in (name for name in noted if name.startswith(_PREFIX) and name not in now_closed):
            await state.forget(name)  # also what another guard noted, or this one before it was restarted
            self._charge.tell("venue fine again", what=name.removeprefix(_PREFIX))
        self._seen = {name: count for name, count in self._seen.items() if name in now_closed}
        for name, item in now_closed.items():
            assert item.why is not None
            self._seen[name] = self._seen.get(name, 0) + 1
            if self._seen[name] == (1 if item.why in AT_ONCE else CONFIRM):
                severity = Severity.HIGH if item.why in _HIGH else Severity.MEDIUM
                await self._begin(name, f"venue: {item.line()}", severity)

    async def once(self, what: tuple[object, ...], reason: str, severity: Severity, kind: AlertKind) -> None:
        """Raise an alert of something that happens once.

        Raises:
            StoreUnreachable: no answer.
        """
        await self._raise(alert_id(self._charge.agent, "venue", *what), reason, severity, kind)

    async def _begin(self, name: str, reason: str, severity: Severity) -> None:
        now = self._clock()
        if not await self._charge.state.note(name, {"at": now.isoformat(), "by": self._charge.by}):
            return  # another guard, or this one before it was restarted, has told of this episode
        await self._raise(alert_id(self._charge.agent, name, now.isoformat()), reason, severity, AlertKind.WARNING)

    async def _raise(self, identity: Safe, reason: str, severity: Severity, kind: AlertKind) -> None:
        charge = self._charge
        alert = Alert(
            id=identity,
            at=self._clock(),
            agent=clean(charge.agent, 64),
            kind=kind,
            severity=severity,
            trigger=Safe(""),
            reason=clean(reason),
            by=clean(charge.by, 128),
        )
        if await charge.state.raise_alert(alert):
            charge.tell("alert", id=alert.id, kind=alert.kind.value, reason=alert.reason)


def _episodes(closed: Iterable[Item]) -> dict[str, Item]:
    """What is told, by the name of its episode: one that changes its reason from look to look is still one."""
    groups: dict[str, list[Item]] = {}
    for item in closed:
        assert item.why is not None
        alone = item.why in _ALONE and item.why not in _TOGETHER
        name = f"{item.what}/{item.why}" if alone else str(item.why) if item.why in _TOGETHER else "unreadable"
        groups.setdefault(f"{_PREFIX}{name}", []).append(item)
    return {name: items[0] if len(items) == 1 else _joined(items) for name, items in groups.items()}


def _joined(items: list[Item]) -> Item:
    more = f"; and {len(items) - 5} more" if len(items) > 5 else ""
    words = "; ".join(f"{item.what}: {item.why.value}" for item in items[:5] if item.why)
    return Item(clean(f"{len(items)} reads"), items[0].why, clean(words + more), items[0].at)
