"""Requests to webhooks, for all agents of a process: connections are shared, and so is the knowledge of who is down.

A receiver that is down, slow, or answers without end costs one request's time-out now and then, whoever has something
to send to it, and nobody else's alerts wait for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from console.guard.setup.options import utc_now
from console.guard.setup.settings import Webhook

if TYPE_CHECKING:
    import httpx

TIMEOUT_S: Final = 5.0
"""For a whole request, answer included."""
AT_ONCE: Final = 8
"""Requests under way at a time, to one webhook."""
ANSWER_BYTES: Final = 16_384
"""Of an answer that are read, so that its connection can be used again; what says more is cut off."""
OF_CONTENT: Final = frozenset({400, 413, 422})
"""Answers that speak of what was sent, not of the receiver: they hold up no other request."""
LONGEST_WISH_S: Final = 3600.0
"""What a receiver asks for beyond this is not believed."""


class Answer(NamedTuple):
    """What came of one request.

    Args:
        problem: why it was not taken, without its address; empty when it was.
        after_s: seconds for which the receiver asks to be left alone.
        of_content: whether it refused this request for what it holds, so that others may still be taken.
    """

    problem: str = ""
    after_s: float = 0.0
    of_content: bool = False


class Posts:
    """Sends requests.

    Args:
        clock: the time now.
    """

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._http: httpx.AsyncClient | None = None
        self._down: dict[str, float] = {}
        self._gates: dict[str, asyncio.Semaphore] = {}

    def now_s(self) -> float:
        """The clock, in epoch seconds."""
        return self._clock().timestamp()

    def waits(self, webhook: Webhook) -> bool:
        """Whether a webhook failed lately, and is left alone for a while."""
        return self._down.get(webhook.name, 0.0) > self.now_s()

    async def send(self, webhook: Webhook, body: bytes, headers: Mapping[str, str], pause_s: float) -> Answer | None:
        """Send one request: what came of it; None if it was not tried.

        Args:
            webhook: where to.
            body, headers: what.
            pause_s: how long the webhook is left alone if it fails; longer where it asks for that (`Retry-After`), not
                at all where it refuses this one request for what it holds.
        """
        async with self._gates.setdefault(webhook.name, asyncio.Semaphore(AT_ONCE)):
            if self.waits(webhook):
                return None
            answer = await self._post(webhook, body, headers)
        if answer.problem and not answer.of_content:
            self._down[webhook.name] = self.now_s() + max(pause_s, answer.after_s)
        else:
            self._down.pop(webhook.name, None)
        return answer

    async def aclose(self) -> None:
        """Close connections."""
        if self._http is not None:
            await self._http.aclose()

    async def _post(self, webhook: Webhook, body: bytes, headers: Mapping[str, str]) -> Answer:
        import httpx

        if self._http is None:
            self._http = httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
        status, after_s, words = 0, 0.0, b""
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self._http.stream("POST", webhook.url, content=body, headers=dict(headers)) as answer,
            ):
                status, after_s = answer.status_code, self._wished_s(answer.headers.get("Retry-After", ""))
                async for part in answer.aiter_bytes():
                    words += part
                    if len(words) > ANSWER_BYTES:
                        break
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if not status:
                return Answer(type(error).__name__)
        except TimeoutError:
            if not status:
                return Answer(f"no answer within {TIMEOUT_S:g} s")
        if not 200 <= status < 300:
            return Answer(f"HTTP {status}", after_s, status in OF_CONTENT)
        return (
            Answer("the receiver answered that it is not ok", after_s, of_content=True) if _not_ok(words) else Answer()
        )

    def _wished_s(self, retry_after: str) -> float:
        """How long a receiver asks to be left alone: seconds, or an HTTP date; 0 where it says nothing sensible."""
        if retry_after.isascii() and retry_after.strip().isdigit():
            return min(float(retry_after), LONGEST_WISH_S)
        try:
            at = parsedate_to_datetime(retry_after)
        except ValueError:
            return 0.0
        return min(max(0.0, at.timestamp() - self.now_s()), LONGEST_WISH_S)


def _not_ok(words: bytes) -> bool:
    """Whether a receiver that answers 200 says in JSON that it took nothing: `{"ok": false}`."""
    try:
        document = json.loads(words[:ANSWER_BYTES])
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("ok") is False
