"""Signs of life for a venue's dead man's switch: for the active side alone, with its epoch, until all is halted.

Every sign is decided upon what the store says at that moment. Without an answer of the store none is sent, and none
where the active side itself gives no sign of life: then the switch falls, which is what it is for. A guard that was
frozen between its decision and the request does not send it any more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.domain.errors import ConsoleError
from console.domain.fence.deployment import Phase
from console.domain.guard.alerts import AlertKind
from console.domain.triggers.finding import Severity
from console.domain.venue.deadman import Deadman, State, beaten, dropped
from console.guard.keep.charge import Charge
from console.guard.keep.control import Control
from console.guard.venue.alarm import Alarm
from console.guard.venue.exercise import Exercise
from console.store.records.venue import keep_deadman, read_deadman

if TYPE_CHECKING:
    from console.domain.venue.terms import DeadmanTerms
    from console.venue.document import Deadman as Document
    from console.venue.prober import Prober

Vouch = Callable[[str], Awaitable[str]]
"""Called with a side: why it can't be vouched for; empty where it can."""

TICK_S: Final = 0.25
STALE_S: Final = 1.0
"""A decision that is older is not acted on: this process was frozen, or the machine was."""
SHARE: Final = 0.8
"""A sign that another guard has sent within this share of the pause is enough."""


class Sign(NamedTuple):
    """What came of one turn.

    Args:
        sent: whether a sign was sent and taken.
        why_not: why none was; empty where one was, or none was due.
        took_ms: how long the venue took.
    """

    sent: bool
    why_not: str = ""
    took_ms: float = 0.0


class Lifeline:
    """Keeps one agent's switch.

    Args:
        charge: the agent.
        prober: of its venue.
        clock: the time now.
        vouch: why the active side can't be vouched for.
    """

    def __init__(self, charge: Charge, prober: Prober, clock: Callable[[], datetime], vouch: Vouch) -> None:
        self._charge, self._prober, self._clock, self._vouch = charge, prober, clock, vouch
        self._alarm = Alarm(charge, clock)
        self._exercise = Exercise(charge, prober, self)
        self._told = ""
        self._counted: datetime | None = None
        self._again_s = 0.0
        self.held = False
        """Whether a drill for real lets it fall."""

    async def run(self) -> None:
        """Go round until cancelled; at once over where the document arms no switch."""
        document, terms = self._prober.venue.document.deadman, self._prober.venue.deadman
        if document is None or terms is None or not document.armed:
            await asyncio.Event().wait()
            return
        while True:
            try:
                await self.turn(document, terms)
                await self._exercise.look(document, terms)
            except ConsoleError as error:
                self._tell(f"no sign of life is sent: {error.message}")
            await asyncio.sleep(min(TICK_S, terms.every_s / 4))

    async def turn(self, document: Document, terms: DeadmanTerms, *, force: bool = False) -> Sign:
        """Send a sign of life if one is due; or say why none may be sent.

        Args:
            document: where it is given.
            terms: what the switch does.
            force: whether one is due in any case.

        Raises:
            StoreUnreachable: no answer: none was sent.
        """
        charge, read_s = self._charge, time.monotonic()
        control = await charge.state.control()
        now = datetime.fromtimestamp(await charge.state.server_ms() / 1000, UTC)
        record = await read_deadman(charge.fence.client, charge.keys)
        await self._count_falls(record, now)
        why_not = "a drill lets it fall" if self.held else await self._why_not(control)
        if why_not:
            await self._drop(record, why_not, now)
            return Sign(False, why_not)
        slot = _side(control)
        if not force and record is not None and record.epoch == control.epoch and not record.let_fall:
            since_s = (now - record.beaten_at).total_seconds() if record.beaten_at else terms.every_s
            if 0 <= since_s < terms.every_s * (SHARE if record.by != charge.guard else 1.0):
                return Sign(False)
        if time.monotonic() - read_s > STALE_S:
            return Sign(False, "this process was frozen: decided anew")
        if time.monotonic() < self._again_s and not force:
            return Sign(False, "the venue did not take the last one; it is tried again")
        answer = await self._send(document, terms, now)
        if answer.why is not None:
            self._again_s = time.monotonic() + max(TICK_S, terms.every_s / 4)
            why_not = f"the venue did not take it: {answer.why.value}"
            self._tell(f"{why_not}; {answer.detail}")
            return Sign(False, why_not, answer.took_ms)
        latest = await read_deadman(charge.fence.client, charge.keys)
        if latest is not None and latest.epoch > control.epoch:
            return Sign(True, took_ms=answer.took_ms)  # a guard that knows a later epoch keeps it, and its record stays
        await keep_deadman(
            charge.fence.client,
            charge.keys,
            beaten(record, terms, epoch=control.epoch, slot=slot, by=charge.guard, at=now),
        )
        self._tell("")
        return Sign(True, took_ms=answer.took_ms)

    async def _why_not(self, control: Control) -> str:
        """Why no sign may be sent for who acts now; empty where one may."""
        if control.phase is Phase.HALT:
            return "everything is halted"
        side = _side(control)
        if control.phase not in (Phase.RUN, Phase.DRAIN) or not side:
            return "nobody is active"
        return await self._vouch(side)

    async def _drop(self, record: Deadman | None, why: str, now: datetime) -> None:
        """Say that it is let fall, once."""
        if record is None or record.let_fall or record.state(now) not in (State.ARMED, State.SPENT):
            return
        await keep_deadman(self._charge.fence.client, self._charge.keys, dropped(record, why))
        self._charge.tell("dead man's switch let fall", reason=why, falls_in_s=record.left_s(now))

    async def _count_falls(self, record: Deadman | None, now: datetime) -> None:
        """Tell people that it has fallen, once for each time."""
        if record is None or record.due_at is None or now < record.due_at or self._counted == record.due_at:
            return
        self._counted = record.due_at
        spent = " It has fallen as often as it may today, and protects nothing." if record.spent(now) else ""
        why = record.let_fall or "no sign of life reached the venue in time"
        words = f"The dead man's switch has fallen: {why}. The venue has cancelled: {record.takes}.{spent}"
        await self._alarm.once(("deadman", record.due_at.isoformat()), words, Severity.HIGH, AlertKind.WARNING)

    async def _send(self, document: Document, terms: DeadmanTerms, now: datetime) -> Any:
        from console.venue.http import Request

        due_ms = int((now.timestamp() + terms.timeout_s) * 1000)
        timeout_ms = int(terms.timeout_s * 1000)
        values = {"timeout_s": f"{terms.timeout_s:g}", "timeout_ms": str(timeout_ms), "due_ms": str(due_ms)}
        body = {name: _filled(value, values) for name, value in document.body.items()}
        patience_s = max(0.1, min(terms.every_s, self._prober.venue.document.pace.timeout_s))
        path_values = {name: value for name, value in values.items() if name != "due_ms"}
        request = Request(
            document.service, document.path, document.rate, patience_s, path_values, document.method, body or None
        )
        return await self._prober.asker.ask(request, self._clock())

    def _tell(self, problem: str) -> None:
        if problem != self._told:
            self._told = problem
            self._charge.tell(
                "dead man's switch not kept alive" if problem else "dead man's switch kept alive", reason=problem
            )


def _side(control: Control) -> str:
    """Whom the switch is kept for: who is active; while one side hands over to the other, the one that does."""
    if control.tenure is not None:
        return control.tenure.slot
    return control.previous if control.phase is Phase.DRAIN else ""


def _filled(value: str | int | bool, values: dict[str, str]) -> str | int | bool:
    """A value of the body; one that is a place alone becomes a number."""
    if not isinstance(value, str):
        return value
    name = value.removeprefix("{").removesuffix("}")
    if value == f"{{{name}}}" and name in values:
        number = values[name]
        return int(number) if number.isdigit() else number
    for place, text in values.items():
        value = value.replace(f"{{{place}}}", text)
    return value
