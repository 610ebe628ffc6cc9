"""Actions in the store become rows, with what their claims put at risk."""

from __future__ import annotations

from decimal import Decimal

import redis.asyncio

from console.agent import AgentController, Settings
from console.domain.triggers.windows import Row
from console.guard.hear import fenced
from console.guard.hear.fenced import MOST_CLAIMS, ActionStream, Stakes
from console.store.keys import Keys


async def test_a_settled_action_has_the_stake_of_its_claim_however_the_stream_was_begun(
    valkey: redis.asyncio.Redis, store_url: str
) -> None:
    await valkey.set(Keys.of().active, "blue")
    settings = Settings(money=False, memory_dir=None)
    with AgentController(store_url, slot="blue", version="1", settings=settings) as agent:
        for number in range(8):
            with agent.action(f"bet-{number}", amount=Decimal(number), currency="USD") as act:
                act.settle("won", pnl=Decimal(1))
    rows: list[Row] = []
    await ActionStream(valkey, Keys.of().actions).begin(rows.append)
    assert [row.stake for row in rows] == [None, *(Decimal(number) for number in range(1, 8))]


def test_of_claims_that_never_end_so_many_are_remembered_and_another_currency_is_no_stake() -> None:
    stakes = Stakes()
    for number in range(MOST_CLAIMS + 1):
        stakes.claimed(str(number), "5000000", "USD")
    assert stakes.ended("0", "USD") is None
    assert stakes.ended("1", "EUR") is None
    assert stakes.ended("2", "USD") == 5
    stakes.claimed("odd", "much", "USD")
    assert stakes.ended("odd", "USD") is None
    assert fenced.row_of({b"d": b"claim\n1"}, stakes) is None
