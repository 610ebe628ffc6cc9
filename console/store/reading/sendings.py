"""What is known of the sendings of keys in doubt: the marks of their first sending, and what living instances go by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from console.domain.fence.claims import OpenClaim
from console.domain.fence.sent import Sending, sending, window_of
from console.store.fence.aio import AsyncFence
from console.store.server.trouble import wrap_errors

_AT_ONCE: Final = 1_000


async def sendings(fence: AsyncFence, claims: Sequence[OpenClaim], now_ms: int) -> tuple[Sending, ...]:
    """One for each claim, in their order.

    Args:
        fence: of the agent.
        claims: without an end.
        now_ms: the server's clock.

    Raises:
        StoreUnreachable: the store did not answer.
    """
    if not claims:
        return ()
    window_ms = window_of((await fence.heartbeats()).values(), now_ms)
    marks: list[Any] = []
    with wrap_errors():
        for begin in range(0, len(claims), _AT_ONCE):
            keys = [fence.keys.sent(claim.key) for claim in claims[begin : begin + _AT_ONCE]]
            marks += await fence.client.mget(keys)
    return tuple(sending(claim, mark, window_ms) for claim, mark in zip(claims, marks, strict=True))
