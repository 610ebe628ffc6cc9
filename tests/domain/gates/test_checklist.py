"""Phases have clocks of their own, ticks hold for one deployment, and what is due later waits for its clock."""

from __future__ import annotations

import pytest

from console.domain.fence.deployment import Slot
from console.domain.gates.checklist import clocks, list_phases
from console.domain.gates.fact import known
from console.domain.gates.facts import Switched, Tick
from console.domain.gates.gate import CheckPhase, State
from console.domain.seen.observation import LogReading, VersionReading
from console.domain.text import Safe
from tests.domain.gates.stage import NOW, asked, at, deployment, facts, guard, instance, unchecked


def since(seconds: float) -> dict[str, object]:
    """Green acts for so many seconds, and blue did before."""
    version = VersionReading(Safe("green"), "green", 40, at(-9000), at(-2))
    return {
        "switched": known("control log", NOW, Switched(at(-seconds), 7, Slot.GREEN, Slot.BLUE)),
        "deployment": deployment(instance(Slot.BLUE), instance(Slot.GREEN), active=Slot.GREEN),
        "guards": known("guards", NOW, (guard(watching="green"),)),
        "logs": known("logs", NOW, LogReading(NOW, by_slot={"green": version})),
    }


def state(item: str, **changes: object) -> tuple[State, str]:
    checked = list_phases(facts(**changes), asked(target=Slot.BLUE), CheckPhase)
    judged = next(line.judged for line in checked.lines if line.item.id == item)
    return judged.state, judged.words


@pytest.mark.parametrize(
    ("seconds", "running"),
    [
        (0, {"during", "after", "warm"}),
        (1799.9, {"during", "after", "warm"}),
        (1800, {"before", "warm"}),
        (86_400, {"before"}),
    ],
)
def test_the_clocks_run_for_30_minutes_and_24_hours_from_the_switch(seconds: float, running: set[str]) -> None:
    every = clocks(facts(**since(seconds)), NOW)
    assert {clock.phase.value for clock in every if clock.running} == running


def test_before_any_switch_only_the_first_phase_runs() -> None:
    every = clocks(facts(switched=unchecked("control log")), NOW)
    assert [clock.phase for clock in every if clock.running] == [CheckPhase.BEFORE]


@pytest.mark.parametrize("item", ["no-trigger", "watched", "pnl-band", "log-grows"])
def test_what_is_watched_for_30_minutes_is_open_only_when_they_are_over(item: str) -> None:
    assert state(item, **since(60))[0] is State.UNKNOWN
    assert "29 min left" in state(item, **since(60))[1]
    assert state(item, **since(1800))[0] is State.OPEN


def test_the_old_version_is_kept_warm_for_24_hours() -> None:
    assert state("kept-warm", **since(1800))[0] is State.UNKNOWN
    assert state("kept-warm", **since(86_400))[0] is State.OPEN
    gone = {**since(60), "deployment": deployment(instance(Slot.GREEN), instance(Slot.BLUE, 98), active=Slot.GREEN)}
    assert state("kept-warm", **gone)[0] is State.CLOSED


def tick(seconds: float) -> object:
    one = Tick("first-ten", "ada", "default", at(-seconds), "fine", 7)
    return known("gates", NOW, {"first-ten": one})


@pytest.mark.parametrize(
    ("ticked_s", "switched_s", "wanted"),
    [
        (10, 60, State.OPEN),
        (60, 60, State.OPEN),
        (61, 60, State.CLOSED),
        (86_401, 90_000, State.CLOSED),
        (-5, 60, State.CLOSED),
    ],
)
def test_a_tick_holds_for_the_deployment_it_was_made_for_and_a_day(
    ticked_s: float, switched_s: float, wanted: State
) -> None:
    assert state("first-ten", **{**since(switched_s), "ticks": tick(ticked_s)})[0] is wanted


def test_the_first_ten_are_counted_for_who_reviews_them() -> None:
    assert state("first-ten", **since(60))[1] == "nobody has ticked it (0 of 10 are there)"


def test_who_has_not_seen_the_switch_is_named() -> None:
    behind = instance(Slot.BLUE)._replace(epoch_seen=6)
    gone = {**since(60), "deployment": deployment(behind, instance(Slot.GREEN), active=Slot.GREEN)}
    assert state("switched", **gone) == (State.CLOSED, "green since 60 s; not acknowledged by blue-1")
    assert state("switched", **since(60))[0] is State.OPEN
