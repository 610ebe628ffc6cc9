"""What an agent says reaches a chat as text, never as markup, and no key in it reaches webhook, alert or audit.

From 8398a7/action-slack#158, slack-notifier/slack-notifier#35, TauricResearch/TradingAgents#1322.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.situation import Situation
from tests.guard.receiver import Receiver
from tests.waiting import until

MENTION = "<!channel> A & B <https://evil.example/login|Open runbook>"
KEY = "HTTPError: 401 for url: https://api.venue.example/o?api_key=SECRET123&signature=SECRETabc"
RIGHT = {
    MENTION: ["&lt;!channel&gt; A &amp; B &lt;https://evil.example/login|Open runbook&gt;"],
    KEY: ["api_key=***", "signature=***"],
}


@pytest.mark.parametrize(("text", "right"), RIGHT.items(), ids=["mention", "key"])
def test_an_alert_is_escaped_for_its_kind_and_holds_no_key(
    situation: Callable[..., Situation], text: str, right: list[str]
) -> None:
    scene = situation()
    with Receiver() as receiver:
        file = scene.folder / "guard.toml"
        file.write_text(f'[[webhooks]]\nname = "oncall"\nkind = "slack"\nurl = "{receiver.url}"\n')
        scene.both()
        scene.guard("--triggers", str(file))
        scene.both()
        scene.fault(text)
        until(lambda: receiver.taken, "the webhook")
        (told,) = receiver.taken
        body = told.json["text"]
    assert all(part in body for part in right)
    assert "<" not in body
    shown = "".join(scene.cli(*verb).out for verb in (("audit", "--json"), ("guard", "status", "--json")))
    assert "SECRET" not in body + shown + repr(scene.acts())
    assert "unhandled exception" in shown
