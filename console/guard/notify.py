"""Alerts to webhooks: generic JSON signed with HMAC, Slack-compatible, PagerDuty Events v2-compatible.

What is still to be sent is never kept apart: it is every alert that a webhook has not taken yet, so none can fall
between two writes. Whoever holds the lease sends; each request carries the alert's id, so that a receiver recognises
the one case in which it comes twice (the sender died between the answer and its note). URLs and secrets are never
logged.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from console.domain.alerts import Alert, AlertKind, alert_document
from console.domain.triggers import Severity
from console.guard.settings import Webhook
from console.guard.state import GuardState
from console.guard.telling import Tell
from console.store.fence import AsyncFence
from console.store.guards import read_alerts
from console.store.replies import text
from console.store.trouble import wrap_errors

if TYPE_CHECKING:
    import httpx
    from redis.asyncio import Redis

LEASE_MS: Final = 10_000
TIMEOUT_S: Final = 5.0
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
KEPT: Final = 400
"""Alerts kept; beyond that the oldest acknowledged ones go first."""
SIGNATURE: Final = "X-Agent-Console-Signature"


def request(webhook: Webhook, alert: Alert, at_s: int) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of one notification.

    Args:
        webhook: where to.
        alert: what.
        at_s: epoch seconds; part of what is signed, so that an old request can't be replayed.
    """
    if webhook.kind == "slack":
        document: dict[str, Any] = {"text": headline(alert)}
    elif webhook.kind == "pagerduty":
        document = {
            "routing_key": webhook.secret,
            "event_action": "trigger",
            "dedup_key": alert.id,
            "payload": {
                "summary": headline(alert)[:1024],
                "source": alert.agent,
                "severity": _PAGERDUTY[alert.severity],
                "timestamp": alert.at.isoformat(),
                "component": alert.trigger or "guard",
                "custom_details": alert_document(alert),
            },
        }
    else:
        document = {"type": "agent-console.alert", "alert": alert_document(alert)}
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": alert.id, "User-Agent": "agent-console"}
    if webhook.kind == "json" and webhook.secret:
        headers[SIGNATURE] = signature(webhook.secret, at_s, body)
    return body, headers


def signature(secret: str, at_s: int, body: bytes) -> str:
    """`t=SECONDS,v1=HEX`: HMAC-SHA-256 over `SECONDS.BODY`."""
    digest = hmac.new(secret.encode(), b"%d." % at_s + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


_PAGERDUTY: Final = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "info",
}


def headline(alert: Alert) -> str:
    """The alert in one sentence."""
    what = "warning" if alert.kind is AlertKind.WARNING else alert.kind.value
    return f"{alert.agent}: {what} ({alert.severity.value}): {alert.reason}"


class Notifier:
    """Sends what is still to be sent, while it holds the lease.

    Args:
        client: connected.
        fence: for the lease.
        state: for the alerts.
        webhooks: where to.
        holder: this guard's name.
        tell: for the log.
    """

    def __init__(
        self, client: Redis, fence: AsyncFence, state: GuardState, webhooks: Sequence[Webhook], *, holder: str,
        tell: Tell,
    ) -> None:  # fmt: skip
        self._client = client
        self._fence = fence
        self._state = state
        self._webhooks = webhooks
        self._holder = holder
        self._tell = tell
        self._http: httpx.AsyncClient | None = None
        self.held = False
        """Whether we are the one who sends."""

    async def turn(self) -> int:
        """Take or renew the lease, and send what is due; how many were delivered.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        lease = await self._fence.lease("notify", self._holder, ttl_ms=LEASE_MS)
        self.held = lease.held
        if not lease.held:
            return 0
        alerts = read_alerts(await self._state.hash(self._state.names.alerts))
        sent = {text(name): text(value) for name, value in (await self._state.hash(self._state.names.sent)).items()}
        delivered = 0
        for webhook in self._webhooks:
            since_s = await self._since(webhook, sent)
            for alert in alerts:
                mark = _state_of(sent.get(f"{alert.id}:{webhook.name}"))
                if alert.at.timestamp() < since_s or "done" in mark:
                    continue
                if not _due(mark):
                    break
                again = await self._fence.lease("notify", self._holder, ttl_ms=LEASE_MS)
                if not again.held or again.token != lease.token:  # we were away for too long; somebody else sends
                    self.held = False
                    return delivered
                taken = await self._send(webhook, alert, _tries(mark) + 1)
                delivered += taken
                if not taken:
                    break  # the others would only wait for the same receiver
        await self._tidy(alerts, sent)
        return delivered

    async def aclose(self) -> None:
        """Give the lease back and close connections."""
        if self._http is not None:
            await self._http.aclose()
        if self.held:
            await self._fence.lease("notify", self._holder, ttl_ms=LEASE_MS, release=True)
            self.held = False

    async def _since(self, webhook: Webhook, sent: dict[str, str]) -> float:
        """From when on a webhook gets alerts: a new one is not flooded with what is past."""
        field = f"since:{webhook.name}"
        if field not in sent:
            seconds, _micros = await self._fence.runner.execute("TIME")
            with wrap_errors():
                await self._client.hsetnx(self._state.names.sent, field, str(int(seconds) - 60))
                raw: Any = await self._client.hget(self._state.names.sent, field)
            sent[field] = text(raw)
        return float(sent[field]) if sent[field].isdigit() else 0.0

    async def _send(self, webhook: Webhook, alert: Alert, tries: int) -> bool:
        import httpx

        if self._http is None:
            self._http = httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
        body, headers = request(webhook, alert, int(time.time()))
        problem = ""
        try:
            answer = await self._http.post(webhook.url, content=body, headers=headers)
            if not answer.is_success:
                problem = f"HTTP {answer.status_code}"
        except httpx.HTTPError as error:
            problem = type(error).__name__
        field = f"{alert.id}:{webhook.name}"
        if not problem:
            await self._mark(field, {"done": int(time.time()), "tries": tries})
            self._tell("notified", id=alert.id, webhook=webhook.name, tries=tries)
            return True
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(tries - 1, 10)) * random.uniform(0.5, 1.0)  # noqa: S311
        await self._mark(field, {"next": time.time() + pause_s, "tries": tries, "problem": problem})
        self._tell("not notified", id=alert.id, webhook=webhook.name, tries=tries, problem=problem,
                   again_in_s=round(pause_s, 1))  # fmt: skip
        return False

    async def _mark(self, field: str, how: Mapping[str, object]) -> None:
        with wrap_errors():
            await self._client.hset(self._state.names.sent, field, json.dumps(how))

    async def _tidy(self, alerts: Sequence[Alert], sent: Mapping[str, str]) -> None:
        """Keep the store bounded: alerts that are seen and delivered go first, then the oldest."""
        surplus = len(alerts) - KEPT
        if surplus <= 0:
            return
        going = [alert.id for alert in sorted(alerts, key=lambda alert: (alert.open, alert.at))[:surplus]]
        marks = [field for field in sent if field.partition(":")[0] in going]
        with wrap_errors():
            await self._client.hdel(self._state.names.alerts, *going)
            if marks:
                await self._client.hdel(self._state.names.sent, *marks)
        self._tell("alerts dropped", count=len(going))


def _state_of(mark: str | None) -> dict[str, Any]:
    with suppress(ValueError):
        found = json.loads(mark) if mark else {}
        return found if isinstance(found, dict) else {}
    return {}


def _due(mark: Mapping[str, Any]) -> bool:
    due = mark.get("next", 0.0)
    return not isinstance(due, int | float) or due <= time.time()


def _tries(mark: Mapping[str, Any]) -> int:
    tries = mark.get("tries", 0)
    return tries if isinstance(tries, int) and 0 <= tries < 1 << 30 else 0
