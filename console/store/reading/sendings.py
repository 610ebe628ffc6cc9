"""What is known of the sendings of keys in doubt: the marks of their first sending, and what living instances go by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from console.domain.fence.claims import OpenClaim
from console.domain.fence.sent import Sending, sending, window_of
from console.store.fence.aio import AsyncFence
from console.store.keys import Keys
from console.store.server.trouble import wrap_errors

MOST_BYTES: Final = 512
"""Of a mark that are read: a longer one is none."""
_AT_ONCE: Final = 1_000


def marks(keys: Keys, claims: Iterable[OpenClaim]) -> list[tuple[str, str, int, int]]:
    """The commands that read the marks of those claims that are in doubt."""
    return [("GETRANGE", keys.sent(claim.key), 0, MOST_BYTES - 1) for claim in claims if claim.in_doubt]


def told_sendings(
    claims: Iterable[OpenClaim], got: Sequence[Any], beats: Iterable[Mapping[str, object]], now_ms: int
) -> Mapping[str, Sending]:
    """The sendings of those claims that are in doubt, by key.

    Args:
        claims: as `marks` was given them.
        got: what was answered to that.
        beats: the fields of every heartbeat; empty where none can be read.
        now_ms: the server's clock.
    """
    if not got:
        return {}
    window_ms = window_of(beats, now_ms)
    doubts = (claim for claim in claims if claim.in_doubt)
    return {claim.key: sending(claim, _mark(one), window_ms) for claim, one in zip(doubts, got, strict=True)}


async def sendings(fence: AsyncFence, claims: Sequence[OpenClaim], now_ms: int) -> tuple[Sending, ...]:
    """One for each claim, in their order.

    Args:
        fence: of the agent.
        claims: in doubt, or with a lease that is over.
        now_ms: the server's clock.

    Raises:
        StoreUnreachable: the store did not answer.
    """
    if not claims:
        return ()
    window_ms = window_of((await fence.heartbeats()).values(), now_ms)
    commands = marks(fence.keys, (claim._replace(in_doubt=True) for claim in claims))
    got: list[Any] = []
    with wrap_errors():
        for begin in range(0, len(commands), _AT_ONCE):
            pipe = fence.client.pipeline(transaction=False)
            for command in commands[begin : begin + _AT_ONCE]:
                pipe.execute_command(*command)
            got += await pipe.execute(raise_on_error=False)
    return tuple(sending(claim, _mark(one), window_ms) for claim, one in zip(claims, got, strict=True))


def _mark(got: Any) -> bytes | str | None:
    """A mark as it was read; None where there is none, and no mark's text where it is of another type."""
    if isinstance(got, bytes | str):
        return got or None
    return b"none"
