"""Drills of the dead man's switch: a sign of life in public, timed; or, for real, a fall, and what it left."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from console.domain.text import clean
from console.domain.untrusted import whole
from console.domain.venue.terms import Takes
from console.guard.keep.charge import Charge
from console.guard.keep.drill import FRESH_S, answers_of
from console.store.fence.replies import json_object
from console.store.records.venue import VenueKeys, read_deadman
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from console.domain.venue.terms import DeadmanTerms
    from console.venue.document import Deadman as Document
    from console.venue.prober import Prober

MARGIN_S: Final = 1.0
"""After the moment of a fall, until the venue's orders are looked at: requests travel, and clocks differ."""
KEPT_S: Final = 3_600
"""How long answers are kept."""


class Line(Protocol):
    """What a drill needs of a lifeline."""

    held: bool

    async def turn(self, document: Document, terms: DeadmanTerms, *, force: bool = False) -> Any:
        """Send a sign of life, or say why none may be sent."""
        ...


class Exercise:
    """Carries out drills of one agent's switch.

    Args:
        charge: the agent.
        prober: of its venue.
        line: what keeps the switch alive.
    """

    def __init__(self, charge: Charge, prober: Prober, line: Line) -> None:
        self._charge, self._prober, self._line = charge, prober, line
        self._last = ""

    async def look(self, document: Document, terms: DeadmanTerms) -> None:
        """Carry out the order that stands in the store, if it is new.

        Raises:
            StoreUnreachable: no answer.
        """
        charge = self._charge
        with wrap_errors():
            raw = await charge.fence.client.get(VenueKeys.of(charge.keys).drill)
        order = json_object(raw)
        identity = str(clean(order.get("id", ""), 64))
        if not identity or identity == self._last:
            return
        self._last = identity
        seen_ms = await charge.state.server_ms() - whole(order.get("at_ms"))
        if not 0 <= seen_ms <= FRESH_S * 1000:
            return
        fall = self._fall if order.get("for_real") is True else self._sign
        told = {"seen_ms": seen_ms, **await fall(document, terms), "open_questions": list(terms.open_questions)}
        charge.tell("drill", trigger="deadman", **told)
        await self._answer(identity, told)

    async def _answer(self, identity: str, told: dict[str, Any]) -> None:
        name = answers_of(self._charge.keys, identity)
        with wrap_errors():
            await self._charge.fence.client.hset(name, self._charge.guard, json.dumps(told))
            await self._charge.fence.client.expire(name, KEPT_S)

    async def _sign(self, document: Document, terms: DeadmanTerms) -> dict[str, Any]:
        """A sign of life, now."""
        began = time.monotonic()
        sign = await self._line.turn(document, terms, force=True)
        record = await read_deadman(self._charge.fence.client, self._charge.keys)
        now = datetime.fromtimestamp(await self._charge.state.server_ms() / 1000, UTC)
        return {
            "did": "sent a sign of life" if sign.sent else "",
            "problem": sign.why_not or None,
            "took_ms": round((time.monotonic() - began) * 1000, 3),
            "venue_ms": sign.took_ms,
            "falls_in_s": record.left_s(now) if record else None,
        }

    async def _fall(self, document: Document, terms: DeadmanTerms) -> dict[str, Any]:
        """Let it fall, and see what it has left."""
        began = time.monotonic()
        self._line.held = True
        try:
            await self._line.turn(document, terms)
            await asyncio.sleep(terms.timeout_s + MARGIN_S)
            orders = await self._prober.orders(datetime.now(UTC))
        finally:
            self._line.held = False
        told: dict[str, Any] = {"did": "let it fall", "took_ms": round((time.monotonic() - began) * 1000, 3)}
        if orders.value is None:
            return {**told, "problem": f"what it left is unknown: {orders.words()}"}
        protective = sum(order.protective is True for order in orders.value)
        wrong = [o for o in orders.value if terms.takes is Takes.ALL or o.protective is not True]
        problem = f"{len(wrong)} orders are left that it should have taken" if wrong else None
        return {**told, "orders_left": len(orders.value), "protective_left": protective, "problem": problem}
