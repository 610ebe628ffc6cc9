"""Drills: an order in the store that every guard carries out in public, and times, without moving the active side.

A guard takes the order as it takes a fact (pushed, evidence first), looks at the target as it would before a roll back,
and answers. With `for_real` the guard that is quickest rolls back; the others are refused, as always.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from console.domain.text import clean
from console.domain.triggers.finding import Trigger
from console.store.fence.replies import text
from console.store.keys import Keys
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

FRESH_S: Final = 10.0
"""An older order is not carried out: it is old news."""
KEPT: Final = 100


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be exercised.

    Args:
        id: the order's own, in its stream.
        trigger: which.
        by: who ordered it.
        at_ms: the server's clock when it was given.
        for_real: whether to roll back.
    """

    id: str
    trigger: Trigger
    by: str
    at_ms: int
    for_real: bool


def stream_of(keys: Keys) -> str:
    """The stream of orders."""
    return keys.beside("drills")


def answers_of(keys: Keys, order_id: str) -> str:
    """The hash of answers to one order; it expires."""
    return keys.beside(f"drill:{order_id}")


def order_from(stream_id: str, fields: Any) -> Order | None:
    """The order in an entry; None where there is none in it."""
    said = {text(name): text(value) for name, value in fields.items()}
    if said.get("trigger") not in set(Trigger):
        return None
    milliseconds = stream_id.partition("-")[0]
    return Order(
        stream_id, Trigger(said["trigger"]), str(clean(said.get("by", ""), 128)),
        int(milliseconds) if milliseconds.isdigit() else 0, said.get("for_real") == "1",
    )  # fmt: skip


async def give(client: Redis, keys: Keys, trigger: Trigger, by: str, *, for_real: bool) -> str:
    """Give an order; its id."""
    fields: Any = {"trigger": trigger.value, "by": by, "for_real": "1" if for_real else "0"}
    with wrap_errors():
        return text(await client.xadd(stream_of(keys), fields, maxlen=KEPT))


async def answer(client: Redis, keys: Keys, order: Order, guard: str, document: dict[str, Any]) -> None:
    """A guard's answer."""
    with wrap_errors():
        await client.hset(answers_of(keys, order.id), guard, json.dumps(document))
        await client.expire(answers_of(keys, order.id), 3600)


async def answers(client: Redis, keys: Keys, order_id: str, guards: int, timeout_s: float) -> dict[str, dict[str, Any]]:
    """The answers to an order, once that many guards have answered or the time is over."""
    deadline = time.monotonic() + timeout_s
    while True:
        with wrap_errors():
            raw = await client.hgetall(answers_of(keys, order_id))
        found: dict[str, dict[str, Any]] = {}
        for name, value in raw.items():
            with suppress(ValueError):
                document = json.loads(value)
                if isinstance(document, dict):
                    found[str(clean(text(name), 64))] = document
        if len(found) >= guards or time.monotonic() >= deadline:
            return found
        await asyncio.sleep(0.005)
