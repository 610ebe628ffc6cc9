"""Gates in the moment of a switch: what they were asked about is what the act is bound to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from console.commands.base import Call
from console.commands.clock import utc_now
from console.commands.context import Context
from console.commands.fence.switch import Switch
from console.commands.gates.keeper import MOST_TRIES, asked_again
from console.commands.gateway.door import Order
from console.commands.gateway.fence import Move
from console.commands.gateway.gateway import Gateway
from console.commands.sources import GateSources
from console.domain.commitments.commitment import Commitment, Kind
from console.domain.errors import GatesClosed, GatesMoved
from console.domain.fence.claims import Direction
from console.domain.fence.deployment import Slot
from console.domain.gates.facts import VenueFacts
from console.domain.operator.receipt import Receipt
from console.store.fence.blocking import Fence
from console.store.fence.calls import FlagWrite, SwitchRequest, basis
from console.store.fence.claims import Intent
from console.store.fence.owing import Who, put
from console.store.keys import Keys

if TYPE_CHECKING:
    import redis
    import redis.asyncio


@dataclass
class Stage:
    """Blue acts and holds nothing; somebody else changes things on a connection of their own."""

    ctx: Context
    other: Fence
    epoch: int
    numbers: Iterator[int]

    def doubt(self) -> None:
        """An action whose outcome nobody knows."""
        key = f"k{next(self.numbers)}"
        spent = (Decimal(1), "USD", Direction.ENTER, "", 1, self.epoch)
        self.other.claim(Intent(key, f"c {key}", "blue", self.epoch, "blue-1", *spent))

    def owe(self) -> None:
        """Something is owed that a bound act may not know of."""
        owed = Commitment(f"pos_{next(self.numbers)}", Kind.POSITION, Decimal(5), "USD")
        self.other.owe(Who("blue-1", "blue", "2.4.0", self.epoch), [put(owed)])

    def change(self) -> None:
        """Somebody writes a flag."""
        now = self.other.client.get("flag:game")
        expected = now.decode() if isinstance(now, bytes) else None
        self.other.set_flag(FlagWrite("game", expected, f"dice{next(self.numbers)}"))

    def between(self, act: Callable[[], None]) -> Context:
        """Surroundings in which somebody acts between the last look and the act, every time."""

        def clock() -> datetime:
            act()
            return utc_now()

        return replace(self.ctx, clock=clock)

    async def active(self) -> Slot | None:
        """Who acts."""
        authority = (await self.ctx.read()).deployment.authority
        assert authority is not None
        return authority.active


@pytest.fixture
async def stage(
    valkey: redis.asyncio.Redis, valkey_sync: redis.Redis, keys: Keys, store_url: str, tmp_path: Path
) -> AsyncIterator[Stage]:
    gateway = Gateway(valkey, keys, url=store_url, registry={}, who="ann", read_only=False, quiesce=None)
    other = Fence(valkey_sync, keys)
    epoch = other.switch(SwitchRequest("blue", expected_epoch=0, by="op")).epoch
    yield Stage(Context(gateway, {}, tmp_path), other, epoch, count())


GREEN = Call({"slot": "green", "now": "yes"}, "try")


async def test_a_doubt_that_comes_while_a_slow_venue_is_asked_closes_the_switch(stage: Stage) -> None:
    async def venue() -> VenueFacts:
        stage.doubt()
        return VenueFacts()

    with pytest.raises(GatesClosed) as refused:
        await Switch().execute(replace(stage.ctx, sources=GateSources(venue=venue)), GREEN)
    assert [gate.name for gate in refused.value.gates] == ["doubts"]
    assert await stage.active() is Slot.BLUE


@pytest.mark.parametrize("what", ["doubt", "owe", "change"])
async def test_whatever_changes_between_the_last_look_and_the_switch_refuses_it(stage: Stage, what: str) -> None:
    ctx = stage.between(getattr(stage, what))
    with pytest.raises((GatesMoved, GatesClosed)):
        await Switch().execute(ctx, GREEN)
    assert await stage.active() is Slot.BLUE


async def test_gates_that_moved_are_asked_again_before_anybody_is_refused(stage: Stage) -> None:
    tries = 0

    async def act() -> Receipt:
        nonlocal tries
        tries += 1
        asked_about = basis((await stage.ctx.read()).deployment.authority)
        if tries < MOST_TRIES:
            stage.change()
        deployment = (await stage.ctx.read()).deployment
        move = Move(Slot.GREEN, deployment, deployment.epoch, mode="now")
        return await stage.ctx.gateway.fences.switch(move, Order("switch", basis=asked_about))

    await asked_again(act)
    assert (tries, await stage.active()) == (MOST_TRIES, Slot.GREEN)
