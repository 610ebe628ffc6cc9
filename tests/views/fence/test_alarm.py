"""Who acts, and whether they live: loud in header, card, checks and exit code, with the next step."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from console.domain.canary.plan import RunState
from console.domain.fence.deployment import ActiveKey, ActiveState, Slot
from console.domain.seen.observation import Observation
from console.views.fence.alarm import alarm
from console.views.fence.instances import acknowledged_text, acknowledgement
from console.views.fence.link import header_view
from console.views.fence.slots import slot_view
from console.views.health import health_view, is_healthy
from console.views.status.report import status_report
from console.views.tone import Tone
from tests.scenarios import observation


def later(seen: Observation, name: str, age_s: float) -> Observation:
    """The same, with instances of that name heard of so long ago."""
    assert seen.store is not None
    deployment = seen.store.deployment
    at = seen.store.server_at - timedelta(seconds=age_s)
    instances = tuple(
        one._replace(heartbeat_at=at) if one.name.startswith(name) else one for one in deployment.instances
    )
    return seen._replace(store=seen.store._replace(deployment=deployment._replace(instances=instances)))


def silent(seen: Observation, slot: str, age_s: float) -> Observation:
    """The same, with the last decision of a side so long ago."""
    assert seen.logs is not None
    reading = seen.logs.by_slot[slot]._replace(last_at=seen.now - timedelta(seconds=age_s))
    return seen._replace(logs=seen.logs._replace(by_slot={**seen.logs.by_slot, slot: reading}))


def loud(seen: Observation, word: str, tone: Tone) -> None:
    """It is said everywhere, and nothing calls it healthy."""
    wrong = alarm(seen)
    assert wrong is not None
    assert (wrong.word, wrong.tone) == (word, tone)
    assert wrong.hint
    header = header_view(seen)
    assert word in header.warning or "NOBODY" in header.active_text
    assert not is_healthy(health_view(seen))
    assert not status_report(seen).healthy


def test_an_active_side_whose_instances_are_all_dead_is_loud() -> None:
    seen = later(observation("fenced"), "blue", 78)
    loud(seen, "DEAD 78 s", Tone.BAD)
    card = slot_view(seen, Slot.BLUE)
    assert (card.role, card.role_tone) == ("ACTIVE ✖ DEAD 78 s", Tone.BAD)
    agent = next(check for check in health_view(seen) if check.name == "agent")
    assert (agent.tone, agent.hint) == (Tone.BAD, "Start blue again, or s switches to green.")


def test_the_dead_do_not_live_until_a_clock_that_was_set_back_has_caught_up() -> None:
    seen = later(observation("fenced"), "blue", -3600)
    loud(seen, "DEAD 60 min", Tone.BAD)
    wrong = alarm(seen)
    assert wrong is not None and wrong.text.endswith("its newest heartbeat lies 60 min ahead of the store's clock")
    assert seen.store is not None and acknowledgement(seen.store, Slot.BLUE).text == "0/0 acknowledged, 2 dead"


def test_an_active_side_that_decides_nothing_is_loud() -> None:
    seen = silent(observation("both-decide"), "blue", 960)
    loud(seen, "SILENT 16 min", Tone.WARN)
    assert slot_view(seen, Slot.BLUE).role == "ACTIVE ▲ SILENT 16 min"


@pytest.mark.parametrize("state", [ActiveState.MISSING, ActiveState.UNKNOWN, ActiveState.WRONG_TYPE])
def test_nobody_active_is_loud(state: ActiveState) -> None:
    seen = observation("both-decide")
    assert seen.store is not None
    deployment = seen.store.deployment._replace(active=ActiveKey(state))
    seen = seen._replace(store=seen.store._replace(deployment=deployment))
    loud(seen, "NOBODY ACTS", Tone.BAD)
    assert slot_view(seen, Slot.BLUE).role == "NOBODY ACTS"


def test_a_canary_at_100_percent_says_that_it_is_to_be_switched_on() -> None:
    seen = observation("canary-undecided")
    assert slot_view(seen, Slot.GREEN).role == "CANARY 20 %"
    store = seen.store
    assert store is not None
    assert store.canary is not None
    assert store.canary.desk is not None
    run = store.canary.run._replace(state=RunState.DONE, share=Decimal(1))
    canary = store.canary._replace(run=run, desk=store.canary.desk._replace(share=Decimal(1)))
    seen = silent(seen._replace(store=store._replace(canary=canary)), "blue", 960)
    loud(seen, "CANARY 100 % ON GREEN", Tone.WARN)
    assert slot_view(seen, Slot.GREEN).role == "CANARY 100 %"
    agent = next(check for check in health_view(seen) if check.name == "agent")
    assert agent.hint == "s switches green on; R goes back."


def test_acknowledgements_count_the_living_and_name_the_side() -> None:
    seen = later(observation("fenced"), "blue-2", 78)
    assert seen.store is not None
    assert acknowledgement(seen.store, Slot.BLUE).text == "1/1 acknowledged, 1 dead"
    assert acknowledged_text(seen.store).startswith("blue 1/1 acknowledged, 1 dead · green ")
    assert alarm(seen) is None  # one of two is alive


def test_while_all_is_well_there_is_no_alarm() -> None:
    assert alarm(observation("fenced")) is None
