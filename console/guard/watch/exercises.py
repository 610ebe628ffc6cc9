"""A guard carries out drills: the whole path of a roll back, timed, and, unless it is for real, short of the switch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from console.domain.guard.alerts import AlertKind, alert_id, alert_of
from console.domain.triggers.facts import other
from console.domain.triggers.finding import Arming, Finding, Response, Verdict
from console.guard.hear.fenced import newest_beat, place_of
from console.guard.keep.drill import FRESH_S, Order, answer, order_from, stream_of
from console.guard.watch.watch import Watch
from console.store.fence.replies import text
from console.store.server.clock import server_ms

if TYPE_CHECKING:
    from redis.asyncio import Redis


class Exercises:
    """The drills of one guard.

    Args:
        client: connected.
        watch: what it knows, and how it acts.
    """

    def __init__(self, client: Redis, watch: Watch) -> None:
        self._client = client
        self._watch = watch
        self._keys = watch.charge.keys
        self._last = ""

    @property
    def place(self) -> str:
        """The newest order that was looked at."""
        return self._last or "0-0"

    async def carry_out(self) -> None:
        """Every order that is new.

        Raises:
            StoreUnreachable: no answer.
        """
        newest: Any = ()
        stream = stream_of(self._keys)
        with self._watch.charge.state.kept(stream):
            newest = await self._client.xrevrange(stream, count=10)
        if not newest:
            return
        now_ms = await server_ms(self._client)
        orders = [order_from(text(stream_id), fields) for stream_id, fields in reversed(newest)]
        for order in orders:
            if order is None or (self._last and place_of(order.id) <= place_of(self._last)):
                continue
            self._last = order.id
            if now_ms - order.at_ms <= FRESH_S * 1000:
                await self._one(order, now_ms)

    async def _one(self, order: Order, seen_ms: float) -> None:
        watch, began = self._watch, time.perf_counter()
        charge, control = watch.charge, watch.control
        told: dict[str, Any] = {"seen_ms": round(seen_ms - order.at_ms, 3), "trigger": order.trigger.value}
        if control is None or control.tenure is None:
            told["would"] = "nothing: nobody is active"
            await answer(self._client, self._keys, order, charge.guard, told)
            return
        target = other(control.tenure.slot)
        problem = await self._precheck(target)
        told["target"], told["problem"] = target, problem or None
        arming = watch.settings.of(order.trigger)
        told["arming"] = arming.value
        reason = f"drill of {order.trigger.value} ordered by {order.by}"
        if order.for_real and arming is Arming.ARMED and watch.actor is not None:
            result = await watch.actor.roll_back(
                control.tenure, control.epoch, f"{order.trigger.value}: {reason}", order.trigger
            )
            told |= {"did": result.done.value, "detail": result.detail, "verified": result.verified}
        else:
            ending = f"halt: {problem}" if problem else f"roll back to {target}"
            told["would"] = ending if arming is Arming.ARMED else f"nothing: {order.trigger.value} is {arming.value}"
            finding = Finding(order.trigger, Verdict.HARM, arming, Response.ROLL_BACK, reason, watch.now)
            told["alert"] = identity = alert_id(charge.agent, "drill", order.id)
            alert = alert_of(
                finding,
                agent=charge.agent,
                identity=identity,
                kind=AlertKind.WARNING,
                epoch=control.epoch,
                by=charge.by,
            )
            await charge.state.raise_alert(alert)
        told["took_ms"] = round((time.perf_counter() - began) * 1000, 3)
        charge.tell("drill", **told)
        await answer(self._client, self._keys, order, charge.guard, told)

    async def _precheck(self, target: str) -> str:
        """Why the target could not take over now; empty when it could."""
        beats = await self._watch.charge.fence.heartbeats()
        mine = [beat for beat in beats.values() if beat.get("slot") == target]
        if not mine:
            return self._watch.alive(target)
        newest = newest_beat(beats, target)
        if newest is None or (self._watch.now - newest).total_seconds() > 5.0:
            return f"{target} has no fresh heartbeat"
        return "" if any(beat.get("ready") is True for beat in mine) else f"{target} is not ready"
