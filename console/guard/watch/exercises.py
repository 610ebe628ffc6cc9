"""A guard carries out drills: the whole path of a roll back, timed, and, unless it is for real, short of the switch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from console.domain.guard.alerts import AlertKind, alert_id, alert_of
from console.domain.triggers.facts import other
from console.domain.triggers.finding import Arming, Finding, Response, Verdict
from console.guard.hear.fenced import newest_beat, place_of
from console.guard.keep.control import BY
from console.guard.keep.drill import FRESH_S, Order, answer, order_from, stream_of
from console.guard.watch.watch import Watch
from console.store.fence.aio import AsyncFence
from console.store.fence.replies import text
from console.store.keys import Keys
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis


class Exercises:
    """The drills of one guard.

    Args:
        client: connected.
        watch: what it knows, and how it acts.
        fence: for heartbeats.
        keys: whose.
    """

    def __init__(self, client: Redis, watch: Watch, fence: AsyncFence, keys: Keys) -> None:
        self._client = client
        self._watch = watch
        self._fence = fence
        self._keys = keys
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
        found: Any = ()
        stream = stream_of(self._keys)
        with self._watch.state.kept(stream):
            found = await self._client.xrevrange(stream, count=10)
        if not found:
            return
        with wrap_errors():
            seconds, micros = await self._client.time()
        now_ms = seconds * 1000 + micros / 1000
        orders = [order_from(text(stream_id), fields) for stream_id, fields in reversed(found)]
        for order in orders:
            if order is None or (self._last and place_of(order.id) <= place_of(self._last)):
                continue
            self._last = order.id
            if now_ms - order.at_ms <= FRESH_S * 1000:
                await self._one(order, now_ms)

    async def _one(self, order: Order, seen_ms: float) -> None:
        watch, began = self._watch, time.perf_counter()
        control = watch.control
        said: dict[str, Any] = {"seen_ms": round(seen_ms - order.at_ms, 3), "trigger": order.trigger.value}
        if control is None or control.tenure is None:
            said["would"] = "nothing: nobody is active"
            await answer(self._client, self._keys, order, watch.guard, said)
            return
        target = other(control.tenure.slot)
        problem = await self._precheck(target)
        said["target"], said["problem"] = target, problem or None
        arming = watch.settings.of(order.trigger)
        said["arming"] = arming.value
        finding = Finding(
            order.trigger, Verdict.HARM, arming, Response.ROLL_BACK,
            f"drill of {order.trigger.value} ordered by {order.by}", watch.now,
        )  # fmt: skip
        if order.for_real and arming is Arming.ARMED and watch.actor is not None:
            result = await watch.actor.roll_back(
                control.tenure, control.epoch, f"{order.trigger.value}: {finding.reason}"
            )
            said |= {"did": result.done.value, "detail": result.detail, "verified": result.verified}
        else:
            ending = f"halt: {problem}" if problem else f"roll back to {target}"
            said["would"] = ending if arming is Arming.ARMED else f"nothing: {order.trigger.value} is {arming.value}"
            alert = alert_of(
                finding, agent=watch.agent, identity=alert_id(watch.agent, "drill", order.id),
                kind=AlertKind.WARNING, epoch=control.epoch, by=f"{BY}{watch.guard}",
            )  # fmt: skip
            said["alert"] = alert.id
            await watch.state.raise_alert(alert)
        said["took_ms"] = round((time.perf_counter() - began) * 1000, 3)
        watch.tell("drill", **said)
        await answer(self._client, self._keys, order, watch.guard, said)

    async def _precheck(self, target: str) -> str:
        """Why the target could not take over now; empty when it could."""
        beats = await self._fence.heartbeats()
        mine = [beat for beat in beats.values() if beat.get("slot") == target]
        if not mine:
            return self._watch.alive(target)
        newest = newest_beat(beats, target)
        if newest is None or (self._watch.now - newest).total_seconds() > 5.0:
            return f"{target} has no fresh heartbeat"
        return "" if any(beat.get("ready") is True for beat in mine) else f"{target} is not ready"
