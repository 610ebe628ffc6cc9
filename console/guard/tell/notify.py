"""Alerts to webhooks: generic JSON signed with HMAC, Slack-compatible, PagerDuty Events v2-compatible.

What is still to be sent is never kept apart: it is every alert that a webhook has not taken yet, so none can fall
between two writes. Whoever holds the lease sends; each request carries the alert's id, so that a receiver recognises
the one case in which it comes twice (the sender died between the answer and its note). URLs and secrets are never
logged.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from console.domain.guard.alerts import Alert, AlertKind
from console.domain.text import redact
from console.domain.triggers.finding import Severity
from console.guard.keep.charge import Charge
from console.guard.setup.settings import Webhook
from console.guard.tell.posts import Answer, Posts
from console.store.fence.claims import LeaseReply
from console.store.fence.replies import json_object, text
from console.store.records.guards import read_alerts

LEASE_MS: Final = 10_000
"""Longer than a request may take (`console.guard.tell.posts`): a lease never ends under one."""
FIRST_PAUSE_S: Final = 1.0
MOST_UNKEPT: Final = 1_000
LONGEST_PAUSE_S: Final = 60.0
SIGNATURE: Final = "X-Agent-Console-Signature"


def request(webhook: Webhook, alert: Alert, at_s: int) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of one notification.

    Args:
        webhook: where to.
        alert: what.
        at_s: epoch seconds; part of what is signed, so that an old request can't be replayed.
    """
    alert = replace(alert, reason=redact(alert.reason))
    if webhook.kind == "slack":
        document: dict[str, Any] = {"text": headline(alert).translate(_SLACK)}
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
                "custom_details": alert.document(),
            },
        }
    else:
        document = {"type": "agent-console.alert", "alert": alert.document()}
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": alert.id, "User-Agent": "agent-console"}
    if webhook.kind == "json" and webhook.secret:
        headers[SIGNATURE] = signature(webhook.secret, at_s, body)
    return body, headers


def signature(secret: str, at_s: int, body: bytes) -> str:
    """`t=SECONDS,v1=HEX`: HMAC-SHA-256 over `SECONDS.BODY`."""
    digest = hmac.new(secret.encode(), b"%d." % at_s + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


_SLACK: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""The three characters with which a text could mention a channel, or hide where a link goes."""
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
    """Sends what is still to be sent of one agent, while it holds the lease.

    Args:
        charge: the agent.
        webhooks: where to.
        posts: how requests go out; shared by all agents of a process.
    """

    __slots__ = ("_charge", "_one", "_posts", "_settled", "_state", "_unkept", "_webhooks", "held")

    def __init__(self, charge: Charge, webhooks: Sequence[Webhook], posts: Posts) -> None:
        self._charge = charge
        self._state = charge.state
        self._webhooks = webhooks
        self._posts = posts
        self._one = asyncio.Lock()
        """The lease holds against other guards; this holds against ourselves."""
        self._settled = (-1, -1)
        """How many alerts and marks there were when all was delivered."""
        self._unkept: dict[str, str] = {}
        """Marks that could not be kept in the store."""
        self.held = False
        """Whether we are the one who sends."""

    async def turn(self) -> int:
        """Take or renew the lease, and send what is due; how many were delivered.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        async with self._one:
            return await self._turn()

    async def _turn(self) -> int:
        lease = await self._lease()
        self.held = lease.held
        if not lease.held:
            return 0
        names = self._state.names
        sizes = await self._state.size(names.alerts), await self._state.size(names.sent)
        if sizes == self._settled:
            return 0
        alerts = read_alerts(await self._state.hash(names.alerts))
        sent = {text(name): text(value) for name, value in (await self._state.hash(names.sent)).items()} | self._unkept
        done = await asyncio.gather(*(self._serve(webhook, alerts, sent, lease.token) for webhook in self._webhooks))
        delivered = sum(count for count, _rest in done)
        if not delivered and not any(rest for _count, rest in done):
            self._settled = sizes
        return delivered

    async def aclose(self) -> None:
        """Give the lease back."""
        if self.held:
            await self._lease(release=True)
            self.held = False

    async def _lease(self, *, release: bool = False) -> LeaseReply:
        return await self._charge.fence.lease("notify", self._charge.guard, ttl_ms=LEASE_MS, release=release)

    async def _serve(
        self, webhook: Webhook, alerts: Sequence[Alert], sent: dict[str, str], token: int
    ) -> tuple[int, bool]:
        """One webhook's turn: how many it took, and whether it has to be tried again."""
        since_s = await self._since(webhook, sent)
        delivered, waiting = 0, False
        for alert in alerts:
            mark = json_object(sent.get(f"{alert.id}:{webhook.name}"))
            if alert.at.timestamp() < since_s or "done" in mark:
                continue
            if not self._due(mark) and mark.get("of_content") is True:
                waiting = True  # refused for what it holds: the others are not held up by it
                continue
            if not self._due(mark) or self._posts.waits(webhook):
                return delivered, True
            lease = await self._lease()
            if not lease.held or lease.token != token:  # we were away for too long; somebody else sends
                self.held = False
                return delivered, True
            answer = await self._send(webhook, alert, _tries(mark) + 1)
            if answer is None or (answer.problem and not answer.of_content):
                return delivered, True  # the others would only wait for the same receiver
            delivered += not answer.problem
            waiting = waiting or bool(answer.problem)
        return delivered, waiting

    async def _since(self, webhook: Webhook, sent: dict[str, str]) -> float:
        """From when on a webhook gets alerts: a new one is not flooded with what is past."""
        field = f"since:{webhook.name}"
        if field not in sent:
            since = str(await self._state.server_ms() // 1000 - 60)
            await self._mark(field, since, first=True)
            sent[field] = text((await self._state.hash(self._state.names.sent)).get(field.encode(), since))
        return float(sent[field]) if sent[field].isdigit() else 0.0

    async def _send(self, webhook: Webhook, alert: Alert, tries: int) -> Answer | None:
        body, headers = request(webhook, alert, int(time.time()))
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(tries - 1, 10)) * random.uniform(0.5, 1.0)  # noqa: S311
        answer = await self._posts.send(webhook, body, headers, pause_s)
        field, now_s = f"{alert.id}:{webhook.name}", self._posts.now_s()
        if answer is None:
            return None
        if not answer.problem:
            await self._mark(field, json.dumps({"done": int(now_s), "tries": tries}))
            self._charge.tell("notified", id=alert.id, webhook=webhook.name, tries=tries)
            return answer
        pause_s, problem = max(pause_s, answer.after_s), answer.problem
        kept = {"next": now_s + pause_s, "tries": tries, "problem": problem, "of_content": answer.of_content}
        await self._mark(field, json.dumps(kept))
        why = {"problem": problem, "again_in_s": round(pause_s, 1)}
        self._charge.tell("not notified", id=alert.id, webhook=webhook.name, tries=tries, **why)
        return answer

    async def _mark(self, field: str, how: str, *, first: bool = False) -> None:
        """Note how it stands; where that can't be kept in the store, as long as we live."""
        name, client = self._state.names.sent, self._charge.fence.client
        with self._state.kept(name):
            await (client.hsetnx if first else client.hset)(name, field, how)
            return
        self._unkept[field] = how
        while len(self._unkept) > MOST_UNKEPT:
            del self._unkept[next(iter(self._unkept))]

    def _due(self, mark: Mapping[str, Any]) -> bool:
        due = mark.get("next", 0.0)
        return not isinstance(due, int | float) or due <= self._posts.now_s()


def _tries(mark: Mapping[str, Any]) -> int:
    tries = mark.get("tries", 0)
    return tries if isinstance(tries, int) and 0 <= tries < 1 << 30 else 0
