"""What a status, or a request that never left, means for an action: the same for every HTTP client."""

from __future__ import annotations

from collections.abc import Set
from typing import Final

from console.agent.fence.ended import Ending, describe
from console.domain.fence.claims import Outcome

AUTHENTICATION: Final = frozenset({401, 403})
TURNED_AWAY: Final = frozenset({425, 429})
"""Refused for when it came, not for what it is: unread by the venue, and good for another try under the same key.

425 is sent instead of processing (RFC 8470, section 5.2); 429 is a limit on requests (RFC 6585, section 4).
"""
UNCLEAR: Final = frozenset({408, 409})
"""4xx that leave it open whether the request was executed.

408 says that the request came too slowly, so it was not executed (RFC 9110, section 15.5.9); but gateways also send it
when the venue behind them was too slow, and that may have executed. 409 is the answer to an idempotency key whose first
request still runs (draft-ietf-httpapi-idempotency-key-header), and some venues' to an order that was executed in part,
or before: refused as a duplicate means executed once.
"""


def doubt(error: BaseException, why: str = "") -> Ending:
    """Nobody knows whether it was executed."""
    return Ending(Outcome.UNKNOWN, "", f"{describe(error)} ({why})" if why else describe(error))


def unsent(error: BaseException, method: str | None, acts: Set[str]) -> Ending:
    """The request provably never left.

    Args:
        error: what proves it.
        method: of that request; None where there was none yet.
        acts: methods that act. Another's error tells nothing of the action: it may be a lookup after it, or what a
            redirect led to once it was executed.
    """
    if method is not None and method.upper() not in acts:
        return doubt(error, f"of a {method}, which is not the action")
    return Ending(Outcome.ABORT, "", describe(error))


def answered(error: BaseException, status: int, method: str | None, acts: Set[str]) -> Ending:
    """The venue answered with a status that the client made an exception of; arguments as of `unsent`."""
    trigger = "authentication failure" if status in AUTHENTICATION else ""
    if method is not None and method.upper() not in acts:
        return doubt(error, f"of a {method}, which is not the action")._replace(trigger=trigger)
    if status in TURNED_AWAY:
        return Ending(Outcome.ABORT, "", describe(error))
    if not 400 <= status < 500 or status in UNCLEAR:
        return doubt(error)
    return Ending(Outcome.FAIL, trigger, describe(error))
