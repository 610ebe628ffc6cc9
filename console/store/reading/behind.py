"""What lies behind a roll back, in one round trip, whatever is owed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from console.domain.errors import Refused
from console.domain.fence.behind import Behind
from console.domain.fence.deployment import Slot
from console.domain.state.kept import Did
from console.store.keys import Keys
from console.store.reading.decode import text
from console.store.reading.fitness import ASKED, ask_fitness, fitness_of, number
from console.store.records.states import actions_of, readable

if TYPE_CHECKING:
    from redis.asyncio import Redis

LOOKED_AT: Final = 1_000
"""How many of the newest actions are looked through."""
_DONE: Final = frozenset({"ok", "executed"})


async def read_behind(client: Redis, keys: Keys, target: Slot) -> Behind:
    """What a roll back to a side would leave and find.

    Raises:
        Refused: what was kept of it is damaged, or of another type.
        StoreUnreachable: there was no answer.
    """
    with readable():
        async with client.pipeline(transaction=True) as pipe:
            ask_fitness(pipe, keys)
            pipe.hget(keys.ctl, "ten")
            pipe.hgetall(keys.owed)
            pipe.xrevrange(keys.actions, count=LOOKED_AT)
            replies: Any = await pipe.execute()
    began, owed, entries = replies[ASKED:]
    tenure = number(began, "the tenure")
    acted = actions_of(entries)
    mine = [one for one in acted if one.epoch >= tenure and one.slot == target.other.value]
    done = {one.key for one in mine if one.did in (Did.SETTLE, Did.RESOLVE) and one.outcome in _DONE}
    opened, goes = _owed(owed, target, tenure)
    whole = len(entries) < LOOKED_AT or min(one.at.timestamp() for one in acted) * 1000 < tenure
    return Behind(fitness_of(target, replies[:ASKED]), len(done), whole, opened, goes)


def _owed(owed: Mapping[Any, Any], target: Slot, tenure: int) -> tuple[Mapping[str, int], int]:
    """What the other side opened since its tenure began, by kind; and how many become the target's."""
    opened: Counter[str] = Counter()
    goes = 0
    for raw in owed.values():
        parts = text(raw).split("\n", 6)
        if len(parts) != 7:
            raise Refused("A commitment can't be read.", "`agent-console commitments` says which.")
        pin, slot, _version, epoch, _opened, kind, _rest = parts
        goes += not pin
        if slot == target.other.value and epoch.isdecimal() and int(epoch) >= tenure:
            opened[kind] += 1
    return dict(opened), goes
