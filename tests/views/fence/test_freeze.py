"""A freeze binds fenced agents alone: wherever it stands, it says whom it can't bind, and offers a halt."""

from __future__ import annotations

from console.domain.fence.claims import Level
from console.domain.guard.alerts import AlertKind
from console.domain.seen.observation import Observation
from console.views.fence.alarm import freeze
from console.views.fence.link import header_view
from console.views.guard.alerts import banner
from console.views.health import health_view
from console.views.status.text import status_text
from console.views.tone import Tone
from tests.scenarios import observation
from tests.scenarios.guarded import alert
from tests.scenarios.parts import authority


def frozen(name: str) -> Observation:
    """The same, with new entries stopped by a guard."""
    seen = observation(name)
    assert seen.store is not None
    deployment = seen.store.deployment
    control = (deployment.authority or authority())._replace(level=Level.NO_NEW_ENTRIES)
    alerts = (alert(AlertKind.FROZEN, 41, "facts are stale", trigger_name="latency"),)
    return seen._replace(store=seen.store._replace(deployment=deployment._replace(authority=control), alerts=alerts))


def test_a_freeze_of_fenced_agents_says_what_it_stops_and_how_it_ends() -> None:
    seen = frozen("fenced")
    told, shown = freeze(seen), banner(seen)
    assert told is not None
    assert told.word == "FROZEN: no new entries"
    assert told.hint.startswith(":resume lifts it")
    assert shown is not None
    assert "plain" not in shown.text


def test_a_freeze_that_plain_agents_never_read_says_so_everywhere_and_offers_a_halt() -> None:
    seen = frozen("blue-active")
    told, shown, header = freeze(seen), banner(seen), header_view(seen)
    assert told is not None
    assert (told.text, told.tone) == (
        "no new entries is not enforceable on plain agents: blue goes on as before",
        Tone.BAD,
    )
    assert told.hint.startswith("H halts")
    assert shown is not None
    assert "not enforceable on plain agents (H halts)" in shown.text
    assert "FREEZE NOT ENFORCED" in header.warning
    assert header.tone is Tone.BAD
    level = next(check for check in health_view(seen) if check.name == "level")
    assert (level.text, level.tone) == (told.text, Tone.BAD)
    assert any("not enforceable on plain agents" in line for line in status_text(seen))


def test_without_a_freeze_nothing_is_said_of_one() -> None:
    assert freeze(observation("fenced")) is None
    assert freeze(observation("halted")) is None
