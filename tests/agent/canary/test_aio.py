"""The asyncio desk has the same names and the same rules, and never holds the loop up."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import pytest

from console.agent import CanaryDesk as Blocking
from console.agent.aio import CanaryDesk
from console.domain.canary.plan import Mode, Plan, Position, Step
from console.domain.errors import Refused
from console.domain.statistics.evidence import Form, Settings
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.records.canary import Act, RunChange, change, read
from console.store.server.connect import connect_sync
from tests.servers import Server

HALF = Plan(
    (Step(Decimal(0), min_rounds=5), Step(Decimal("0.50"), Decimal(60))),
    Settings(margin=0.05, sigma=1.0, lowest=-1.0, highest=9.0, form=Form.PAIRED),
    mode=Mode.SPLIT,
)


class Stage:
    """A store of its own, with blue active and half of every stake the canary's."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client = connect_sync(server.url, timeout_s=30.0)
        fence = Fence(self.client, Keys.of())
        fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        reply = None
        for act, target in ((Act.START, 0), (Act.STEP, 1)):
            expected = reply.position if reply else None
            reply = fence.call(
                change(
                    Keys.of(),
                    RunChange(
                        act,
                        "r1",
                        expected,
                        by="op",
                        why="test",
                        target=target,
                        plan=HALF,
                        slot="green",
                        currency="USD",
                        capital=Decimal(1000),
                    ),
                )
            )
        self.desk = CanaryDesk(
            Blocking(
                server.url,
                cap=Decimal(1000),
                currency="USD",
                report_s=3600.0,
                connect=lambda: connect_sync(server.url, timeout_s=30.0),
            )
        )

    def booked(self) -> set[str]:
        return set(read(self.client, Keys.of()).open_rounds)


@pytest.fixture
async def stage(valkey_server: Callable[..., Server]) -> AsyncIterator[Stage]:
    made = Stage(await asyncio.to_thread(valkey_server))
    async with made.desk:
        yield made
    made.client.close()


def test_both_desks_have_the_same_public_names_and_arguments() -> None:
    def public(cls: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(member).parameters)
            for name, member in inspect.getmembers(cls, callable)
            if not name.startswith("_")
        }

    other = public(CanaryDesk)
    assert public(Blocking).keys() - other.keys() == {"capital"}, "which asks nobody: `desk.desk.capital`"
    assert all(other[name] == arguments for name, arguments in public(Blocking).items() if name in other)


async def test_a_round_is_given_out_booked_and_settled(stage: Stage) -> None:
    given = await stage.desk.assign("b1", Decimal(10))
    assert (given.canary, given.stable, given.position) == (Decimal(5), Decimal(5), Position(1, 2))
    assert stage.booked() == {"b1"} == set(await stage.desk.open_rounds())
    await stage.desk.settle("b1", canary_pnl=Decimal("-1.25"))
    assert (await stage.desk.reading()).balance == Decimal("-1.25")
    with pytest.raises(Refused, match="not open"):
        await stage.desk.settle("b1")


async def test_the_loop_goes_on_while_the_store_hangs(stage: Stage) -> None:
    stage.server.hang()
    asked = asyncio.create_task(stage.desk.assign("b1", Decimal(10)))
    for _ in range(50):
        await asyncio.sleep(0.001)
    assert not asked.done()
    stage.server.wake()
    assert (await asked).canary == Decimal(5)


async def test_a_cancelled_round_may_be_booked_and_has_the_same_answer_again(stage: Stage) -> None:
    stage.server.hang()
    asked = asyncio.create_task(stage.desk.assign("b1", Decimal(10)))
    await asyncio.sleep(0.05)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    stage.server.wake()
    given = await stage.desk.assign("b1", Decimal(10))
    assert given.canary == Decimal(5)
    assert stage.booked() == {"b1"}
    await stage.desk.release("b1")
    assert stage.booked() == set()
