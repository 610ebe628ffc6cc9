"""With asyncio the same: a blip at the venue ends one action, and never halts the agent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from decimal import Decimal
from typing import Any

import aiohttp
import httpx
import pytest
import redis.asyncio

from console.agent import ActionRefused, AlreadyDone, InDoubt, Proposal, Settings, VenueErrors, venues
from console.agent.aio import Action, AgentController
from console.domain.fence.deployment import Slot
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from tests.agent.venues.clients import aiohttp_timeout, httpx_timeout
from tests.agent.venues.venue import Closed, Venue

Make = Callable[..., Awaitable[AgentController]]
Send = Callable[[str], Awaitable[None]]
Client = tuple[Send, VenueErrors, type[Exception]]


async def by_httpx(url: str) -> None:
    async with httpx.AsyncClient(timeout=httpx_timeout(url), trust_env=False) as client:
        (await client.post(url)).raise_for_status()


async def by_aiohttp(url: str) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp_timeout(url)) as session, session.post(url) as response:
        response.raise_for_status()


@pytest.fixture(params=["httpx", "aiohttp"])
def client(request: pytest.FixtureRequest) -> Client:
    """How a request is sent, what its errors mean, and what they have in common."""
    if request.param == "httpx":
        return by_httpx, venues.httpx(), httpx.HTTPError
    return by_aiohttp, venues.aiohttp(), aiohttp.ClientError


@pytest.fixture
async def fence(valkey: redis.asyncio.Redis, keys: Keys) -> AsyncFence:
    """Green is active, blue can take over: a trigger would be seen as a roll back."""
    fence = AsyncFence(valkey, keys)
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    await fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    return fence


@pytest.fixture
async def make(store_url: str, fence: AsyncFence) -> AsyncIterator[Make]:
    made: list[AgentController] = []

    async def start(errors: VenueErrors | None = None, slot: str = "green", **options: Any) -> AgentController:
        settings = Settings(venue=errors, money=False)
        made.append(AgentController(store_url, slot=slot, version="2", settings=settings, **options))
        await made[-1].start()
        return made[-1]

    await start(slot="blue")
    yield start
    for controller in made:
        await controller.stop()


@pytest.fixture
def venue() -> Iterator[Venue]:
    with Venue() as venue:
        yield venue


async def order(controller: AgentController, send: Send, url: str) -> None:
    async with controller.action("order-1", amount=Decimal(5), currency="USD") as act:
        act.check()
        await send(url)
        await act.settle("filled")


async def active(fence: AsyncFence) -> Slot | None:
    authority = await fence.authority()
    assert authority is not None
    return authority.active


async def test_a_key_whose_request_never_left_is_free_again(
    client: Client, make: Make, venue: Venue, fence: AsyncFence
) -> None:
    send, errors, kind = client
    controller = await make(errors)
    with Closed() as closed, pytest.raises(kind):
        await order(controller, send, f"{closed.url}/order")
    assert await fence.open_claims() == [] and await active(fence) is Slot.GREEN
    await order(controller, send, f"{venue.url}/status/200")
    assert len(venue.received) == 1


async def test_a_refusal_by_the_venue_uses_the_key_up_and_rolls_nothing_back(
    client: Client, make: Make, venue: Venue, fence: AsyncFence
) -> None:
    send, errors, kind = client
    controller = await make(errors)
    with pytest.raises(kind):
        await order(controller, send, f"{venue.url}/status/422")
    with pytest.raises(AlreadyDone) as refused:
        await order(controller, send, f"{venue.url}/status/200")
    assert refused.value.done.outcome == "fail" and await active(fence) is Slot.GREEN


@pytest.mark.parametrize("path", ["hang", "close", "status/503"])
async def test_a_blip_at_the_venue_leaves_one_key_in_doubt_and_the_agent_active(
    client: Client, make: Make, venue: Venue, fence: AsyncFence, path: str
) -> None:
    send, errors, kind = client
    controller = await make(errors)
    with pytest.raises(kind):
        await order(controller, send, f"{venue.url}/{path}")
    assert [claim.in_doubt for claim in await fence.open_claims()] == [True]
    with pytest.raises(InDoubt):
        await order(controller, send, f"{venue.url}/status/200")
    assert len(venue.received) == 1 and await active(fence) is Slot.GREEN


async def test_credentials_that_the_venue_refuses_roll_back(
    client: Client, make: Make, venue: Venue, fence: AsyncFence
) -> None:
    send, errors, kind = client
    controller = await make(errors)
    with pytest.raises(kind):
        await order(controller, send, f"{venue.url}/status/401")
    assert await fence.open_claims() == [] and await active(fence) is Slot.BLUE


async def test_a_refusal_inside_a_block_leaves_the_outer_action_in_doubt_without_a_trigger(
    make: Make, fence: AsyncFence
) -> None:
    controller = await make()
    async with controller.action("hedge") as hedge:
        with pytest.raises(ActionRefused):
            async with controller.action("order-1"), controller.action("hedge"):
                pytest.fail("it must not run")
        await hedge.settle("filled")
    assert [(claim.key, claim.in_doubt) for claim in await fence.open_claims()] == [("order-1", True)]
    assert await active(fence) is Slot.GREEN


@pytest.mark.parametrize("path", ["hang", "close", "status/503", "status/422"])
async def test_the_loop_goes_on_after_a_blip_at_the_venue(
    client: Client, make: Make, venue: Venue, fence: AsyncFence, path: str
) -> None:
    send, errors, _kind = client
    keys = iter(("order-1", "order-2"))
    urls = iter((f"{venue.url}/{path}", f"{venue.url}/status/200"))

    async def decide(_state: object) -> Proposal:
        return Proposal(next(keys))

    async def execute(_wanted: Proposal, _act: Action) -> str:
        await send(next(urls))
        return "filled"

    controller = await make(errors, decide=decide, execute=execute)
    assert not await controller.round()
    assert await controller.round()
    assert await active(fence) is Slot.GREEN and len(venue.received) == 2
