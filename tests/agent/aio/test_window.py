"""An asyncio agent past the venue's window; what both worlds share is in `tests/agent/blocking/test_window.py`."""

from __future__ import annotations

from typing import Any

import pytest

from console.agent import AlreadyDone, InDoubt, KeyTerms, Proof, Proposal, Settings
from console.agent.aio import AgentController
from console.domain.fence.claims import Outcome
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.fence.claims import Resolution, ResolveCode
from console.store.keys import Keys


@pytest.fixture
async def fence(valkey: Any, keys: Keys) -> AsyncFence:
    fence = AsyncFence(valkey, keys)
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


async def not_executed(fence: AsyncFence) -> None:
    [claim] = await fence.open_claims()
    reply = await fence.resolve(
        Resolution(claim.key, claim.claim_id, executed=False, by="op", evidence="not there", proof=Proof.BURNED)
    )
    assert reply.code is ResolveCode.RESOLVED


@pytest.mark.parametrize("window_s", [0, 3600])
async def test_a_key_that_an_operator_freed_is_sent_again_within_the_window_alone(
    store_url: str, fence: AsyncFence, window_s: int
) -> None:
    settings = Settings(lease_ms=2_000, key_terms=KeyTerms(window_s, "their reference"))
    async with AgentController(store_url, slot="blue", version="1", settings=settings) as controller:
        with pytest.raises(TimeoutError):
            async with controller.action("bet-1"):
                raise TimeoutError
        await not_executed(fence)
        if window_s:
            async with controller.action("bet-1") as act:
                await act.settle("won")
            return
        with pytest.raises(InDoubt):
            async with controller.action("bet-1"):
                pytest.fail("it must not run")
        assert controller.core.in_doubt == {"bet-1"}
        await not_executed(fence)
        with pytest.raises(AlreadyDone) as ended:
            await controller.once(Proposal("bet-1"), lambda _act: pytest.fail("it must not run"))
        assert ended.value.done.outcome is Outcome.FAIL
