"""Drills: an order in the store that every guard carries out in public, and times, without moving the active side.

A guard takes the order as it takes a fact (pushed, evidence first), looks at the target as it would before a roll back,
and answers. With `for_real` the guard that is quickest rolls back; the others are refused, as always.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from console.domain.text import clean
from console.domain.triggers.finding import Trigger
from console.store.fence.replies import decode_json, text
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
    words = {text(name): text(value) for name, value in fields.items()}
    if words.get("trigger") not in set(Trigger):
        return None
    milliseconds = stream_id.partition("-")[0]
    at_ms = int(milliseconds) if milliseconds.isdigit() else 0
    by = str(clean(words.get("by", ""), 128))
    return Order(stream_id, Trigger(words["trigger"]), by, at_ms, words.get("for_real") == "1")


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
        documents = ((str(clean(text(name), 64)), decode_json(value)) for name, value in raw.items())
        answered = {name: document for name, document in documents if isinstance(document, dict)}
        if len(answered) >= guards or time.monotonic() >= deadline:
            return answered
        await asyncio.sleep(0.005)
