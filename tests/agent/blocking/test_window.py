"""A key whose first sending the venue may have forgotten is never sent again, whoever asks for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from console.agent import (
    AgentController,
    AlreadyDone,
    Evidence,
    InDoubt,
    KeyTerms,
    NotSent,
    Proof,
    Proposal,
    ResolveCode,
    Settings,
)
from console.domain.errors import UsageError
from console.domain.fence.claims import Outcome
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.fence.claims import Resolution
from console.store.keys import Keys
from tests import ROOT
from tests.waiting import until

Make = Callable[..., AgentController]
NEVER = KeyTerms()
"""A venue without idempotency keys."""
HOUR = KeyTerms(window_s=3600, provenance="their reference, section 4")
SHORT = Settings(lease_ms=2_000, margin_ms=100, quarantine_ms=0)


@pytest.fixture
def fence(valkey_sync: Any, keys: Keys) -> Fence:
    fence = Fence(valkey_sync, keys)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


@pytest.fixture
def make(store_url: str, fence: Fence) -> Iterator[Make]:
    made: list[AgentController] = []

    def start(terms: KeyTerms | None, slot: str = "blue", **options: Any) -> AgentController:
        settings = SHORT._replace(key_terms=terms)
        controller = AgentController(store_url, slot=slot, version="2.4.0", settings=settings, **options)
        controller.start()
        made.append(controller)
        return controller

    yield start
    for controller in made:
        controller.stop()


def not_executed(fence: Fence) -> None:
    """An operator says of each doubt that the venue has it not."""
    for claim in fence.open_claims():
        reply = fence.resolve(
            Resolution(claim.key, claim.claim_id, executed=False, by="op", evidence="not there", proof=Proof.BURNED)
        )
        assert reply.code is ResolveCode.RESOLVED


def sent_and_freed(controller: AgentController, fence: Fence) -> None:
    with pytest.raises(TimeoutError), controller.action("bet-1"):
        raise TimeoutError("the venue did not answer")
    not_executed(fence)


def sends(controller: AgentController) -> bool:
    """Whether the key is sent again."""
    try:
        with controller.action("bet-1") as action:
            action.settle("won")
    except InDoubt:
        return False
    return True


def test_a_key_that_an_operator_freed_is_sent_again_within_the_window(make: Make, fence: Fence) -> None:
    controller = make(HOUR)
    sent_and_freed(controller, fence)
    assert sends(controller)


@pytest.mark.parametrize("held", ["by the same process", "after a restart", "by the other side"])
def test_a_key_that_an_operator_freed_is_in_doubt_past_the_window(make: Make, fence: Fence, held: str) -> None:
    controller = first = make(NEVER)
    sent_and_freed(first, fence)
    if held == "after a restart":
        first.stop()
        controller = make(NEVER)
    elif held == "by the other side":
        fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
        controller = make(NEVER, "green")
    assert not sends(controller)
    assert [claim.in_doubt for claim in fence.open_claims()] == [True]
    assert controller.core.in_doubt == {"bet-1"}


def test_the_refusal_says_when_it_was_sent_first_and_what_to_do(make: Make, fence: Fence) -> None:
    controller = make(NEVER)
    sent_and_freed(controller, fence)
    with pytest.raises(InDoubt) as refused, controller.action("bet-1"):
        pytest.fail("it must not run")
    assert "it was sent first at 20" in refused.value.message and "another key" in refused.value.hint


def test_what_the_venue_has_not_ends_as_a_key_that_is_used_up_and_never_as_a_result(make: Make, fence: Fence) -> None:
    controller = make(NEVER)
    sent_and_freed(controller, fence)
    assert not sends(controller)
    not_executed(fence)
    with pytest.raises(AlreadyDone) as ended, controller.action("bet-1"):
        pytest.fail("it must not run")
    assert ended.value.done.outcome is Outcome.FAIL
    with pytest.raises(AlreadyDone):
        controller.once(Proposal("bet-1"), lambda _action: pytest.fail("it must not run"))


def test_an_agent_that_asks_the_venue_itself_ends_what_came_too_late(make: Make, fence: Fence) -> None:
    controller = make(NEVER)
    sent_and_freed(controller, fence)
    assert not sends(controller)
    assert controller.resolve(lambda _claim: Evidence(True, "bet_77", result="won")) == {"bet-1": ResolveCode.RESOLVED}
    assert controller.once(Proposal("bet-1"), lambda _action: pytest.fail("it must not run")) == "won"
    assert controller.core.in_doubt == set()


def test_the_authors_loop_goes_on_where_a_key_came_too_late(make: Make, fence: Fence) -> None:
    executed: list[str] = []

    def execute(wanted: Proposal, _action: object) -> str:
        executed.append(wanted.key)
        return "won"

    keys = iter(["bet-1", "bet-2"])
    controller = make(NEVER, decide=lambda _state: Proposal(next(keys)), execute=execute)
    sent_and_freed(controller, fence)
    assert [controller.round(), controller.round()] == [False, True]
    assert executed == ["bet-2"] and controller.active


def test_what_was_not_sent_may_be_sent_at_a_venue_without_keys(make: Make, fence: Fence) -> None:
    controller = make(NEVER)
    with pytest.raises(NotSent), controller.action("bet-1"):
        raise NotSent("could not connect")
    assert sends(controller)


def test_what_a_killed_process_sent_is_not_sent_again(make: Make, fence: Fence, store_url: str) -> None:
    program = (
        "import os, sys\n"
        "from console.agent import AgentController, Settings\n"
        "c = AgentController(sys.argv[1], slot='blue', version='1', settings=Settings(lease_ms=300, margin_ms=50))\n"
        "c.start()\n"
        "with c.action('bet-1'):\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program, store_url], check=False, cwd=ROOT)
    controller = make(NEVER)
    until(lambda: fence.tend().in_doubt == 1, "its lease has ended")
    not_executed(fence)
    assert not sends(controller)


def test_a_result_is_kept_for_as_long_as_the_venue_knows_its_key(make: Make, valkey_sync: Any, keys: Keys) -> None:
    with make(HOUR).action("bet-1", retention_ms=1_000) as action:
        action.settle("won")
    assert valkey_sync.pttl(keys.done("bet-1")) > 3_000_000
    with make(HOUR).action("bet-2", retention_ms=0) as action:
        action.settle("won")
    assert valkey_sync.pttl(keys.done("bet-2")) == -1


# -- terms that mean nothing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "window_s", [float("nan"), float("inf"), -1, -0.001, 367 * 86_400, True, "3600", None, Decimal("60"), [3600]]
)
def test_a_window_that_is_no_number_of_seconds_is_refused(window_s: Any) -> None:
    with pytest.raises(UsageError):
        KeyTerms(window_s=window_s, provenance="somebody")


@pytest.mark.parametrize("terms", [3600, "3600", {"window_s": 3600}, float("nan"), KeyTerms])
def test_terms_that_are_none_are_refused_at_the_start(terms: Any) -> None:
    with pytest.raises(UsageError, match="key_terms"):
        AgentController("", slot="blue", version="1", settings=Settings(key_terms=terms))


@pytest.mark.parametrize(("window_s", "lease_ms"), [(5, 5_000), (0.001, 5_000), (3599, 3_600_000)])
def test_a_window_that_ends_before_a_lease_does_is_refused_at_the_start(window_s: float, lease_ms: int) -> None:
    settings = Settings(lease_ms=lease_ms, key_terms=replace(HOUR, window_s=window_s))
    with pytest.raises(UsageError, match="lease"):
        AgentController("", slot="blue", version="1", settings=settings)


@pytest.mark.parametrize(
    ("window_s", "lease_ms", "window_ms"),
    [(0, 5_000, 0), (5.5, 5_000, 500), (60, 5_000, 55_000), (60, 20_000, 40_000), (3, 1_000, 0), (60, 100, 55_000)],
)
def test_a_grant_leaves_the_lease_or_five_seconds_of_the_window(window_s: float, lease_ms: int, window_ms: int) -> None:
    terms = replace(HOUR, window_s=window_s)
    assert Settings(lease_ms=lease_ms, key_terms=terms).window_ms == window_ms
    assert Settings(lease_ms=lease_ms).window_ms is None
