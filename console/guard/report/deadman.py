"""A drill of the dead man's switch as whoever ordered it sees it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from console.domain.document import Report
from console.domain.venue.deadman import State
from console.guard.keep.drill import answers
from console.guard.keep.state import GuardState
from console.store.fence.ids import new_id
from console.store.records.venue import VenueKeys, read_deadman
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.domain.venue.deadman import Deadman

ORDER_S: Final = 60
"""How long an order stands in the store."""


@dataclass(frozen=True, slots=True)
class DeadmanDrill(Report):
    """A drill of the dead man's switch, and its answers.

    Args:
        order: the order's id.
        for_real: whether it was let fall.
        state: how the switch stands afterwards; None where there is none.
        falls_in_s: its countdown then; None where it is not armed.
        falls: how often it has fallen today.
        ms: how long it took until a guard had answered, or was waited.
        answers: by guard: `seen_ms` until it saw the order, `took_ms` to carry it out; what it `did`, and the
            `problem` where it could not; after a fall `orders_left` and `protective_left`; `open_questions` about the
            switch.
    """

    order: str
    for_real: bool
    state: State | None
    falls_in_s: float | None
    falls: int
    ms: float
    answers: Mapping[str, Mapping[str, Any]]

    @property
    def well(self) -> bool:
        """Whether a guard keeps the switch, and nothing went wrong."""
        return bool(self.answers) and not any(answer.get("problem") for answer in self.answers.values())

    def lines(self) -> Iterator[str]:
        for guard, answer in self.answers.items():
            did = answer.get("did") or "did nothing"
            left = f", {answer['orders_left']} orders left" if "orders_left" in answer else ""
            problem = f"; PROBLEM: {answer['problem']}" if answer.get("problem") else ""
            times = f"seen after {answer.get('seen_ms')} ms, took {answer.get('took_ms')} ms"
            yield f"{guard}: {did}{left}; {times}{problem}"
        if not self.answers:
            yield "NO GUARD KEEPS A DEAD MAN'S SWITCH: none answered."
        state = "there is none" if self.state is None else self.state.value
        left = f", falls in {self.falls_in_s:.0f} s" if self.falls_in_s else ""
        yield f"dead man's switch: {state}{left}; fell {self.falls} times today"


async def exercise_deadman(
    state: GuardState, client: Redis, *, by: str, for_real: bool, timeout_s: float
) -> DeadmanDrill:
    """Order a drill, and wait for the guard that keeps the switch.

    Args:
        state: of the agent.
        client: connected.
        by: who orders it.
        for_real: whether it is let fall: the venue cancels what the switch takes.
        timeout_s: how long an answer is waited for; where it is let fall, as long as that takes longer.

    Raises:
        StoreUnreachable: no answer.
    """
    began, order = time.perf_counter(), new_id()
    before = await read_deadman(client, state.keys)
    at_ms = await state.server_ms()
    document = {"id": order, "by": by, "at_ms": at_ms, "for_real": for_real}
    with wrap_errors():
        await client.set(VenueKeys.of(state.keys).drill, json.dumps(document), ex=ORDER_S)
    if for_real and before is not None and before.due_at is not None and before.beaten_at is not None:
        timeout_s += (before.due_at - before.beaten_at).total_seconds() + 5.0
    answered = await answers(client, state.keys, order, 1, timeout_s)
    after = await read_deadman(client, state.keys)
    now = datetime.fromtimestamp(await state.server_ms() / 1000, UTC)
    return _report(order, for_real, after, now, round((time.perf_counter() - began) * 1000, 1), answered)


def _report(
    order: str, for_real: bool, after: Deadman | None, now: datetime, ms: float, answered: dict[str, dict[str, Any]]
) -> DeadmanDrill:
    left_s = after.left_s(now) if after else None
    return DeadmanDrill(
        order=order,
        for_real=for_real,
        state=after.state(now) if after else None,
        falls_in_s=None if left_s is None else round(left_s, 3),
        falls=after.fallen_on(now) if after else 0,
        ms=ms,
        answers=answered,
    )
