"""Where a roll back leads, from what is known of who was active when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from console.domain.fence.deployment import Authority, Phase, Slot
from console.domain.fence.intent import Aim, Source
from console.domain.fence.way_back import Act, SideEvent, SideHistory, way_back
from console.domain.text import clean

START = datetime(2026, 3, 14, 14, 0, tzinfo=UTC)
SIDES = {"b": Slot.BLUE, "g": Slot.GREEN, "-": None}


def history(*rows: str) -> SideHistory:
    """From rows `kind side by [command [undoes]]`; the id of each is its number."""
    events: list[SideEvent] = []
    acts: dict[str, Act] = {}
    for number, row in enumerate(rows):
        kind, side, by, *order = row.split()
        at = START + timedelta(minutes=number)
        events.append(SideEvent(kind, at, number, SIDES[side], clean(by), clean("why"), str(number)))
        if order:
            acts[str(number)] = Act(order[0], order[1] if len(order) > 1 else "", number)
    return SideHistory(tuple(events), acts, START)


def authority(active: Slot | None, previous: Slot | None = None, phase: Phase = Phase.RUN) -> Authority:
    return Authority(9, 9, phase, active, previous=previous)


@pytest.mark.parametrize(
    ("rows", "target"),
    [
        (("switched b ann switch", "switched g ann switch"), Slot.BLUE),
        (("switched b ann switch",), None),
        (("switched b ann switch", "switched g ann switch", "rollback b trip"), None),
        (("switched b ann switch", "switched g ann switch", "switched b guard rollback"), None),
        (("switched b ann switch", "switched g ann switch", "switched b ann undo 1"), None),
        (("switched b a switch", "switched g a switch", "switched b a rollback", "switched g a undo 2"), Slot.BLUE),
        (("switched b a switch", "drain - a switch", "switched g drain"), Slot.BLUE),
        (("switched b a switch", "switched g a switch", "drain - a undo 1", "switched b drain"), None),
        (("switched b a switch", "switched g a switch", "halt - ann halt", "switched b ann resume"), Slot.GREEN),
        (("switched b a switch", "switched g a switch", "halt - guard", "switched b ann resume"), None),
        (("adopted g outside", "halt - outside", "switched b ann resume"), Slot.GREEN),
    ],
    ids=lambda value: " / ".join(value) if isinstance(value, tuple) else str(value),
)
def test_the_way_back_is_to_the_side_before_and_never_forward(rows: tuple[str, ...], target: Slot | None) -> None:
    told = history(*rows)
    now = told.events[-1].active
    way = way_back(now, authority(now), told)
    assert way.target is target
    assert bool(way.refusal) is (target is None)


def test_who_acted_and_what_for_decide_where_the_event_tells_it() -> None:
    told = history("switched b ann", "switched g ann", "switched b guard")
    acts = [event._replace(source=Source.OPERATOR) for event in told.events]
    acts[-1] = acts[-1]._replace(source=Source.GUARD, aim=Aim.GO_BACK)
    assert way_back(Slot.BLUE, authority(Slot.BLUE), told._replace(events=tuple(acts))).target is None
    acts[-1] = acts[-1]._replace(source=Source.OPERATOR, aim=Aim.NONE)
    assert way_back(Slot.BLUE, authority(Slot.BLUE), told._replace(events=tuple(acts))).target is Slot.GREEN


@pytest.mark.parametrize(
    ("source", "target"), [(Source.GUARD, None), (Source.TRIP, None), (Source.OPERATOR, Slot.GREEN)]
)
def test_an_operator_called_guard_duty_is_an_operator(source: Source, target: Slot | None) -> None:
    told = history("switched b a", "switched g a", "halt - guard-duty", "switched b ann")
    events = tuple(event._replace(source=source if event.kind == "halt" else Source.OPERATOR) for event in told.events)
    assert way_back(Slot.BLUE, authority(Slot.BLUE), told._replace(events=events)).target is target


def test_a_drain_is_rolled_back_to_who_was_active_before_it() -> None:
    told = history("switched b ann switch", "drain - ann switch")
    assert way_back(None, authority(None, Slot.BLUE, Phase.DRAIN), told).target is Slot.BLUE


def test_a_drain_that_leads_back_is_not_turned_round() -> None:
    told = history("switched b a switch", "switched g a switch", "drain - a undo 1")
    assert way_back(None, authority(None, Slot.GREEN, Phase.DRAIN), told).target is None


def test_without_events_the_authority_still_knows_the_side_before() -> None:
    assert way_back(Slot.GREEN, authority(Slot.GREEN, Slot.BLUE), SideHistory()).target is Slot.BLUE
    rolled_back = authority(Slot.GREEN, Slot.BLUE)._replace(automatic_rollback_used=True)
    assert way_back(Slot.GREEN, rolled_back, SideHistory()).target is None
