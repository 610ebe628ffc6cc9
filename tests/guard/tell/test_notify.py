"""Alerts reach their webhooks: signed, once each, and not lost while a receiver is down."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.domain.errors import UsageError
from console.domain.guard.alerts import Alert, AlertKind, alert_from, alert_id
from console.domain.text import Safe
from console.domain.triggers.finding import Severity
from console.guard.keep import tidy
from console.guard.setup.file import load
from console.guard.setup.settings import Webhook
from console.guard.tell import notify
from console.guard.tell.notify import SIGNATURE, request
from tests.guard.receiver import Receiver
from tests.guard.stage import Stage

ALERT = Alert(
    alert_id("agent", "event", 7),
    datetime(2026, 3, 1, 12, tzinfo=UTC),
    Safe("agent"),
    AlertKind.ROLLED_BACK,
    Severity.CRITICAL,
    Safe("pnl"),
    Safe("pnl: lost 250 USD"),
    7,
    Safe("guard g1"),
    -250.0,
    -250.0,
    12,
    (Safe("a@1"),),
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(notify, "LONGEST_PAUSE_S", 0.02)


def test_an_alert_survives_being_written_and_read() -> None:
    assert alert_from(ALERT.id, ALERT.document()) == ALERT
    seen = ALERT.acknowledged("ann", datetime(2026, 3, 1, 13, tzinfo=UTC))
    assert alert_from(seen.id, seen.document()) == seen
    assert not seen.open


def test_the_generic_request_is_signed_over_time_and_body() -> None:
    body, headers = request(Webhook("w", "json", "https://x", "secret"), ALERT, 1_770_000_000)
    digest = hmac.new(b"secret", b"1770000000." + body, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE] == f"t=1770000000,v1={digest}"
    assert headers["Idempotency-Key"] == ALERT.id
    assert json.loads(body)["alert"] == ALERT.document()


def test_slack_and_pagerduty_get_what_they_understand() -> None:
    body, headers = request(Webhook("w", "slack", "https://x", ""), ALERT, 0)
    assert json.loads(body) == {"text": "agent: rolled back (critical): pnl: lost 250 USD"}
    assert SIGNATURE not in headers
    body, _headers = request(Webhook("w", "pagerduty", "https://x", "key"), ALERT, 0)
    event = json.loads(body)
    assert (event["routing_key"], event["event_action"], event["dedup_key"]) == ("key", "trigger", ALERT.id)
    assert event["payload"]["severity"] == "critical"


async def test_an_alert_is_delivered_once(stage: Stage, receiver: Receiver) -> None:
    guard = await stage.guard(webhooks=(Webhook("w", "json", receiver.url, "s"),))
    await guard.once()
    stage.write(stage.now(decision_type="exception", pnl=None))
    for _ in range(3):
        await guard.once()
    assert [one.json["alert"]["kind"] for one in receiver.taken] == ["rolled back"]


async def test_only_one_of_two_guards_sends(stage: Stage, receiver: Receiver) -> None:
    hooks = (Webhook("w", "json", receiver.url),)
    one, two = await stage.guard("g1", webhooks=hooks), await stage.guard("g2", webhooks=hooks)
    await one.once()
    stage.write(stage.now(decision_type="exception", pnl=None))
    for _ in range(3):
        await asyncio.gather(one.once(), two.once())
    assert len(receiver.taken) == 1
    assert [guard.ward.notifier.held for guard in (one, two)] == [True, False]


async def test_no_alert_is_lost_while_the_receiver_is_down(stage: Stage) -> None:
    with Receiver() as up:
        port = up.port
    hooks = (Webhook("w", "json", f"http://127.0.0.1:{port}/"),)
    guard = await stage.guard(webhooks=hooks)
    await guard.once()
    stage.write(stage.now(decision_type="exception", pnl=None))
    for _ in range(5):
        await guard.once()
        await asyncio.sleep(0.03)
    assert "not notified" in stage.events()
    await guard.aclose()
    again = await stage.guard("g2", webhooks=hooks)  # the one that tried first is gone
    with Receiver(status=500, port=port) as receiver:
        await again.ward.notifier.turn()
        assert receiver.taken == []
        receiver.status = 200
        await asyncio.sleep(0.05)
        await again.ward.notifier.turn()
        assert [one.json["alert"]["kind"] for one in receiver.taken] == ["rolled back"]
    stage.guards.remove(guard)


async def test_neither_urls_nor_secrets_are_told(stage: Stage, receiver: Receiver) -> None:
    receiver.status = 403
    hook = Webhook("w", "json", receiver.url, "s3cr3t")
    guard = await stage.guard(webhooks=(hook,))
    await guard.once()
    stage.write(stage.now(decision_type="exception", pnl=None))
    await guard.once()
    whole = json.dumps(stage.told, default=str) + repr(hook)
    assert "HTTP 403" in whole
    for secret in ("s3cr3t", "hush", "127.0.0.1"):
        assert secret not in whole
    for key in await stage.client.keys("*"):
        if await stage.client.type(key) == b"hash":
            assert b"s3cr3t" not in b"".join((await stage.client.hgetall(key)).values())


async def test_a_sender_that_was_frozen_past_its_lease_stops(stage: Stage, receiver: Receiver) -> None:
    guard = await stage.guard(webhooks=(Webhook("w", "json", receiver.url),))
    await guard.once()
    await stage.state.raise_alert(ALERT)
    lease = stage.keys.ctl.removesuffix("ctl") + "lease:notify"
    await stage.client.hset(lease, mapping={"holder": "other", "until": str(1 << 50)})
    assert await guard.ward.notifier.turn() == 0
    assert receiver.taken == []
    assert not guard.ward.notifier.held


async def test_the_store_stays_bounded(stage: Stage, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidy, "KEPT", 5)
    guard = await stage.guard(webhooks=(Webhook("w", "json", receiver.url),))
    for number in range(8):
        alert = replace(ALERT, id=alert_id("x", number))
        await stage.state.raise_alert(alert.acknowledged("ann", alert.at) if number == 7 else alert)
    await guard.tend()
    left = await stage.alerts()
    assert len(left) == 5
    assert all(alert.open for alert in left), "what was acknowledged goes first"


def test_the_file_takes_secrets_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "guard.toml"
    file.write_text(
        '[pnl]\nsigmas = 4\nbudget = "250"\n[signals]\nidentity_fields = ["hand"]\n'
        '[[webhooks]]\nname = "a"\nurl_env = "HOOK"\nsecret_env = "KEY"\n'
    )
    told = load(file, {"HOOK": "https://example.org/x", "KEY": "k"})
    assert told.triggers.pnl_sigmas == 4.0
    assert told.signals.identity_fields == ("hand",)
    assert told.webhooks == (Webhook("a", "json", "https://example.org/x", "k"),)
    with pytest.raises(UsageError, match="has no HOOK"):
        load(file, {})


@pytest.mark.parametrize(
    "text",
    [
        "sigmas = 3",
        "[signals]\nnope = 1",
        "[signals]\nescrow_field = 1",
        '[signals]\nkey_fields = "key"',
        '[[webhooks]]\nname = "a"\nurl = "ftp://x"',
        '[[webhooks]]\nurl = "https://x"',
        '[[webhooks]]\nname = "a"\nkind = "fax"\nurl = "https://x"',
        '[[webhooks]]\nname = "a"\nkind = "pagerduty"',
        '[[webhooks]]\nname = "a"\nurl = "https://x"\ncolour = "red"',
        "webhooks = 1",
        "not toml",
    ],
)
def test_a_file_that_means_nothing_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "guard.toml"
    file.write_text(text)
    with pytest.raises(UsageError):
        load(file, {})


def test_text_for_a_webhook_is_escaped_for_its_kind() -> None:
    words = "unhandled exception: <!channel> A & B <https://evil.example/login|Open runbook>"
    alert = replace(ALERT, reason=Safe(words))
    body, _headers = request(Webhook("w", "slack", "https://x", ""), alert, 0)
    shown = "&lt;!channel&gt; A &amp; B &lt;https://evil.example/login|Open runbook&gt;"
    assert json.loads(body)["text"] == f"agent: rolled back (critical): unhandled exception: {shown}"
    body, _headers = request(Webhook("w", "pagerduty", "https://x", "key"), alert, 0)
    assert json.loads(body)["payload"]["summary"].endswith(words)  # plain text there, and data in JSON
    body, _headers = request(Webhook("w", "json", "https://x", ""), alert, 0)
    assert json.loads(body)["alert"]["reason"] == words


async def test_no_key_of_a_venue_reaches_webhook_alert_audit_or_the_chain(stage: Stage, receiver: Receiver) -> None:
    guard = await stage.guard(webhooks=(Webhook("w", "slack", receiver.url),))
    await guard.once()
    text = "HTTPError: 401 for url: https://api.venue.example/o?api_key=SECRET123&signature=SECRETabc"
    stage.write(stage.now(decision_type="exception", pnl=None, output={"exception": text}))
    for _ in range(3):
        await guard.once()
    told = b"".join(one.body for one in receiver.taken).decode()
    assert "api_key=***" in told
    assert "signature=***" in told
    kept = [repr(stage.told)]
    for key in await stage.client.keys("*"):
        kind = await stage.client.type(key)
        read = {b"hash": stage.client.hgetall, b"stream": stage.client.xrange, b"string": stage.client.get}.get(kind)
        kept.append(repr(await read(key)) if read else "")
    whole = told + "".join(kept)
    assert whole.count("signature=***") > 3
    assert "SECRET" not in whole


async def test_a_receiver_that_asks_for_patience_gets_it(stage: Stage, receiver: Receiver) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": "120"}
    guard = await stage.guard(webhooks=(Webhook("w", "json", receiver.url),))
    await guard.once()
    stage.write(stage.now(decision_type="exception", pnl=None))
    await guard.once()
    again = [one["again_in_s"] for one in stage.told if one["event"] == "not notified"]
    assert again == [120.0]
    receiver.status = 200
    await asyncio.sleep(0.03)
    await guard.ward.notifier.turn()
    assert receiver.taken == []  # the pause of our own would be over


async def test_an_alert_that_is_refused_for_what_it_holds_holds_up_no_other(stage: Stage, receiver: Receiver) -> None:
    receiver.refuses = b"poison"
    guard = await stage.guard(webhooks=(Webhook("w", "json", receiver.url),))
    await guard.once()
    later = replace(ALERT, id=alert_id("agent", "event", 8), at=datetime.now(UTC))
    await stage.state.raise_alert(replace(ALERT, at=datetime.now(UTC), reason=Safe("poison")))
    await stage.state.raise_alert(later)
    await guard.ward.notifier.turn()
    await guard.ward.notifier.turn()
    assert [one.json["alert"]["id"] for one in receiver.taken] == [later.id]
    assert "HTTP 400" in repr(stage.told)
    receiver.refuses = b""
    await asyncio.sleep(0.03)
    await guard.ward.notifier.turn()
    assert len(receiver.taken) == 2  # it was kept, and taken once the receiver could


async def test_a_receiver_that_answers_that_it_is_not_ok_took_nothing(stage: Stage, receiver: Receiver) -> None:
    receiver.answer = b'{"ok": false, "error": "invalid_auth"}'
    guard = await stage.guard(webhooks=(Webhook("w", "slack", receiver.url),))
    await guard.once()
    stage.write(stage.now(decision_type="exception", pnl=None))
    await guard.once()
    assert "not notified" in stage.events()
    assert "notified" not in stage.events()
