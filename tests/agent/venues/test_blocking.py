"""With a venue's client named in the settings, a blip at the venue ends one action, and never halts the agent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
import redis
import requests

from console.agent import (
    Action,
    ActionRefused,
    AgentController,
    AlreadyDone,
    DefinitiveFailure,
    InDoubt,
    Proposal,
    Settings,
    VenueErrors,
    venues,
)
from console.domain.fence.deployment import Slot
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from tests.agent.venues.clients import by_httpx, by_requests
from tests.agent.venues.venue import Closed, Venue

Make = Callable[..., AgentController]


@pytest.fixture
def fence(valkey_sync: redis.Redis, keys: Keys) -> Fence:
    """Green is active, blue can take over: a trigger would be seen as a roll back."""
    fence = Fence(valkey_sync, keys)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    return fence


@pytest.fixture
def make(store_url: str, fence: Fence) -> Iterator[Make]:
    made: list[AgentController] = []

    def start(errors: VenueErrors | None = None, slot: str = "green", **options: Any) -> AgentController:
        settings = Settings(venue=errors, money=False)
        made.append(AgentController(store_url, slot=slot, version="2", settings=settings, **options))
        made[-1].start()
        return made[-1]

    start(slot="blue")
    yield start
    for controller in made:
        controller.stop()


@pytest.fixture
def venue() -> Iterator[Venue]:
    with Venue() as venue:
        yield venue


@pytest.fixture(params=["httpx", "requests"])
def client(request: pytest.FixtureRequest) -> tuple[Callable[[str, str], None], VenueErrors, type[Exception]]:
    """How a request is sent, what its errors mean, and what they have in common."""
    if request.param == "httpx":
        return by_httpx, venues.httpx(), httpx.HTTPError
    return by_requests, venues.requests(), requests.RequestException


Client = tuple[Callable[[str, str], None], VenueErrors, type[Exception]]


def order(controller: AgentController, send: Callable[[str, str], None], url: str) -> None:
    with controller.action("order-1", amount=Decimal(5), currency="USD") as act:
        act.check()
        send("POST", url)
        act.settle("filled")


def active(fence: Fence) -> Slot | None:
    authority = fence.authority()
    assert authority is not None
    return authority.active


def test_a_key_whose_request_never_left_is_free_again(client: Client, make: Make, venue: Venue, fence: Fence) -> None:
    send, errors, kind = client
    controller = make(errors)
    with Closed() as closed, pytest.raises(kind):
        order(controller, send, f"{closed.url}/order")
    assert fence.open_claims() == [] and active(fence) is Slot.GREEN
    order(controller, send, f"{venue.url}/status/200")
    with pytest.raises(AlreadyDone):
        order(controller, send, f"{venue.url}/status/200")
    assert len(venue.received) == 1


def test_a_refusal_by_the_venue_uses_the_key_up_and_rolls_nothing_back(
    client: Client, make: Make, venue: Venue, fence: Fence
) -> None:
    send, errors, kind = client
    controller = make(errors)
    with pytest.raises(kind):
        order(controller, send, f"{venue.url}/status/422")
    with pytest.raises(AlreadyDone) as refused:
        order(controller, send, f"{venue.url}/status/200")
    assert refused.value.done.outcome == "fail" and active(fence) is Slot.GREEN


@pytest.mark.parametrize("path", ["hang", "close", "status/503"])
def test_a_blip_at_the_venue_leaves_one_key_in_doubt_and_the_agent_active(
    client: Client, make: Make, venue: Venue, fence: Fence, path: str
) -> None:
    send, errors, kind = client
    controller = make(errors)
    with pytest.raises(kind):
        order(controller, send, f"{venue.url}/{path}")
    assert [claim.in_doubt for claim in fence.open_claims()] == [True] and active(fence) is Slot.GREEN
    with pytest.raises(InDoubt):
        order(controller, send, f"{venue.url}/status/200")
    assert len(venue.received) == 1


def test_credentials_that_the_venue_refuses_roll_back(client: Client, make: Make, venue: Venue, fence: Fence) -> None:
    send, errors, kind = client
    with pytest.raises(kind):
        order(make(errors), send, f"{venue.url}/status/401")
    assert fence.open_claims() == [] and active(fence) is Slot.BLUE


def test_without_a_mapping_the_same_blip_is_an_unhandled_exception(
    client: Client, make: Make, venue: Venue, fence: Fence
) -> None:
    send, _errors, kind = client
    with pytest.raises(kind):
        order(make(), send, f"{venue.url}/hang")
    assert active(fence) is Slot.BLUE


# -- a refusal inside a block -----------------------------------------------------------------------------------------


def test_a_refusal_inside_a_block_leaves_the_outer_action_in_doubt_without_a_trigger(make: Make, fence: Fence) -> None:
    controller = make()
    with controller.action("hedge") as hedge:
        with pytest.raises(ActionRefused), controller.action("order-1"), controller.action("hedge"):
            pytest.fail("it must not run")
        hedge.settle("filled")
    assert [(claim.key, claim.in_doubt) for claim in fence.open_claims()] == [("order-1", True)]
    assert active(fence) is Slot.GREEN
    assert "an action inside it was refused" in str(fence.client.xrange(fence.keys.actions))


def test_a_refusal_that_is_caught_inside_lets_the_outer_action_go_on(make: Make, fence: Fence) -> None:
    controller = make()
    with controller.action("order-1"):
        pass
    with controller.action("order-2") as act:
        with pytest.raises(ActionRefused), controller.action("order-1"):
            pytest.fail("it must not run")
        act.settle("filled")
    assert {claim.key for claim in fence.open_claims()} == {"order-1"} and active(fence) is Slot.GREEN


# -- the author's loop ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["hang", "close", "status/503", "status/422", "status/429"])
def test_the_loop_goes_on_after_a_blip_at_the_venue(
    client: Client, make: Make, venue: Venue, fence: Fence, path: str
) -> None:
    send, errors, _kind = client
    keys = iter(("order-1", "order-2"))
    urls = iter((f"{venue.url}/{path}", f"{venue.url}/status/200"))

    def execute(_wanted: Proposal, _act: Action) -> str:
        send("POST", next(urls))
        return "filled"

    controller = make(errors, decide=lambda _state: Proposal(next(keys)), execute=execute)
    assert not controller.round()
    assert controller.round()
    assert active(fence) is Slot.GREEN and len(venue.received) == 2


def test_the_loop_goes_on_after_an_order_that_could_not_be_sent(client: Client, make: Make, fence: Fence) -> None:
    send, errors, _kind = client
    with Closed() as closed:
        controller = make(
            errors,
            decide=lambda _state: Proposal("order-1"),
            execute=lambda _wanted, _act: send("POST", f"{closed.url}/order"),
        )
        assert not controller.round() and not controller.round()
    assert fence.open_claims() == [] and active(fence) is Slot.GREEN


def test_the_loop_raises_what_shows_a_trigger(client: Client, make: Make, venue: Venue, fence: Fence) -> None:
    send, errors, kind = client
    controller = make(
        errors,
        decide=lambda _state: Proposal("order-1"),
        execute=lambda _wanted, _act: send("POST", f"{venue.url}/status/403"),
    )
    with pytest.raises(kind):
        controller.round()
    assert active(fence) is Slot.BLUE


def test_the_loop_goes_on_while_the_state_can_not_be_read(
    client: Client, make: Make, venue: Venue, fence: Fence
) -> None:
    send, errors, _kind = client
    controller = make(errors, read_state=lambda: send("GET", f"{venue.url}/hang"))
    assert not controller.round()
    assert active(fence) is Slot.GREEN


def test_a_state_that_is_refused_for_good_is_no_end_of_an_action(
    client: Client, make: Make, venue: Venue, fence: Fence
) -> None:
    send, errors, kind = client
    controller = make(
        errors,
        decide=lambda _state: Proposal("order-1"),
        execute=lambda _wanted, _act: "filled",
        write_state=lambda _result: send("POST", f"{venue.url}/status/422"),
    )
    with pytest.raises(kind):
        controller.round()
    assert active(fence) is Slot.BLUE


def test_the_loop_goes_on_after_a_failure_that_the_author_calls_definitive(make: Make, fence: Fence) -> None:
    def execute(_wanted: Proposal, _act: Action) -> None:
        raise DefinitiveFailure("no such market")

    controller = make(decide=lambda _state: Proposal("order-1"), execute=execute)
    assert not controller.round()
    assert fence.open_claims() == [] and active(fence) is Slot.GREEN
