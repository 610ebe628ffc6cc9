"""Requests to webhooks, for all agents of a process: connections are shared, and so is the knowledge of who is down.

A receiver that is down, slow, or answers without end costs one request's time-out now and then, whoever has something
to send to it, and nobody else's alerts wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

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

    async def send(self, webhook: Webhook, body: bytes, headers: Mapping[str, str], pause_s: float) -> str | None:
        """Send one request: why it was not taken, without its address; empty when it was, None if it was not tried.

        Args:
            webhook: where to.
            body, headers: what.
            pause_s: how long the webhook is left alone if it fails.
        """
        async with self._gates.setdefault(webhook.name, asyncio.Semaphore(AT_ONCE)):
            if self.waits(webhook):
                return None
            problem = await self._post(webhook, body, headers)
        if problem:
            self._down[webhook.name] = self.now_s() + pause_s
        else:
            self._down.pop(webhook.name, None)
        return problem

    async def aclose(self) -> None:
        """Close connections."""
        if self._http is not None:
            await self._http.aclose()

    async def _post(self, webhook: Webhook, body: bytes, headers: Mapping[str, str]) -> str:
        import httpx

        if self._http is None:
            self._http = httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
        status = 0
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self._http.stream("POST", webhook.url, content=body, headers=dict(headers)) as answer,
            ):
                status = answer.status_code
                size = 0
                async for part in answer.aiter_raw():
                    size += len(part)
                    if size > ANSWER_BYTES:
                        break
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if not status:
                return type(error).__name__
        except TimeoutError:
            if not status:
                return f"no answer within {TIMEOUT_S:g} s"
        return "" if 200 <= status < 300 else f"HTTP {status}"
