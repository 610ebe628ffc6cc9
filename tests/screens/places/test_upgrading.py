"""An upgrade in the console: the ladder, the switch key as its next step, and the first decisions as a list."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from textual.pilot import Pilot

from console.app import ConsoleApp
from console.domain.operator.command import FactLine, GateLine, Preview, Way
from console.domain.seen.decision import FirstDecisions
from console.domain.seen.observation import Observation
from console.domain.text import Safe
from console.domain.upgrade.run import UpgradeRun
from console.screens.frame.ui_settings import UiSettings
from console.screens.parts.dialogs import ConfirmScreen, TextScreen
from tests.scenarios import NOW, observation
from tests.scenarios.parts import ago, decision
from tests.scenarios.upgrading import ABORTED, BLOCKED, HELD, HOSTILE, READY, REVIEW, upgrading
from tests.screens.doubles import (
    NARROW,
    WIDE,
    RecordingOperator,
    ScriptedSource,
    console,
    drawn,
    operator_of,
    source_of,
)

WAYS = (Way("w", "walk it as a run", "upgrade start", {"target": "green"}), Way("e", "evidence", "upgrade show"))
FIRST = FirstDecisions("green", ago(31), Safe("ana@ops-1"), tuple(decision(n, 30 - n, "green") for n in range(1, 11)))


class Asking(RecordingOperator):
    """Its questions offer something else to do."""

    async def preview(self, name: str, args: Mapping[str, str]) -> Preview:
        return (await super().preview(name, args))._replace(
            facts=(FactLine("commitments", "3 for green then"),), ways=WAYS, yes="Do it", typed_name=self.typed
        )

    typed = ""


class Shut(Asking):
    """A gate is closed."""

    typed = "atlas"


def asking(seen: Observation, kind: type[Asking] = Asking) -> tuple[ConsoleApp, Asking]:
    operator = kind()
    return ConsoleApp(ScriptedSource(seen), operator, UiSettings(), clock=lambda: NOW), operator


async def settled(pilot: Pilot[int]) -> None:
    for _ in range(4):
        await pilot.pause(0.03)


@pytest.mark.parametrize(
    ("seen", "command"),
    [
        (upgrading(READY), "upgrade go"),
        (upgrading(REVIEW, active="green"), "upgrade review"),
        (upgrading(HELD, active="green"), "upgrade resume"),
        (upgrading(ABORTED), "switch"),
    ],
)
async def test_the_switch_key_is_the_next_step_of_the_run_that_goes_on(seen: Observation, command: str) -> None:
    app = console(seen)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("s")
        await settled(pilot)
        assert [name for name, _args in operator_of(app).previewed] == [command]
        await pilot.press("enter")
        await settled(pilot)
        assert operator_of(app).done == [], "no is the default"


async def test_typed_in_full_a_switch_is_the_plain_one_while_a_run_goes_on() -> None:
    app = console(upgrading(READY))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press(*":switch green", "enter")
        await settled(pilot)
        assert operator_of(app).previewed == [("switch", {"slot": "green"})]


async def test_a_letter_in_a_question_leads_to_another_question_and_does_nothing_itself() -> None:
    app, operator = asking(observation("fenced"))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("s")
        await settled(pilot)
        assert "3 for green then" in drawn(app) and "w walk it as a run" in drawn(app)
        await pilot.press("w")
        await settled(pilot)
        assert operator.previewed[-1] == ("upgrade start", {"target": "green"}) and operator.done == []
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("e")
        await settled(pilot)
        assert isinstance(app.screen, TextScreen)
        assert [name for name, *_ in operator.done] == ["upgrade show"]


async def test_where_a_name_has_to_be_typed_its_letters_lead_nowhere_until_the_line_was_left() -> None:
    app, operator = asking(observation("fenced"), Shut)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("s")
        await settled(pilot)
        await pilot.press("w", "e")
        await settled(pilot)
        assert [name for name, _args in operator.previewed] == ["switch"]
        await pilot.press("shift+tab", "w")
        await settled(pilot)
        assert [name for name, _args in operator.previewed] == ["switch", "upgrade start"]


async def test_what_reduces_risk_replaces_a_question_of_the_run() -> None:
    app, operator = asking(upgrading(READY))
    async with app.run_test(size=WIDE) as pilot:
        for key, command in (("R", "rollback"), ("H", "halt"), ("X", "canary abort")):
            await pilot.press("s")
            await settled(pilot)
            await pilot.press(key)
            await settled(pilot)
            assert operator.previewed[-1][0] == command
            await pilot.press("escape")
            await settled(pilot)
        assert operator.done == []


async def test_a_console_that_may_not_act_shows_the_run_and_its_first_decisions() -> None:
    seen = upgrading(REVIEW, active="green")._replace(read_only=True, first=FIRST)
    app = console(seen)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("s")
        await settled(pilot)
        assert isinstance(app.screen, TextScreen)
        assert [name for name, *_ in operator_of(app).done] == ["upgrade show"]
        await pilot.press("escape", "v")
        await settled(pilot)
        assert "First decisions of □ green" in drawn(app)
        assert operator_of(app).previewed == []


async def test_v_reviews_where_a_run_waits_for_it_and_lists_the_decisions_where_none_does() -> None:
    app = console(observation("both-decide")._replace(first=FIRST))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("v")
        await settled(pilot)
        text = drawn(app)
        assert "First decisions of □ green since 14:02:40Z" in text
        assert text.index(" 1  14:02:42") < text.index("10  14:02:51"), "newest last"
        assert operator_of(app).previewed == []
        await pilot.press("escape")
        source_of(app).say(upgrading(REVIEW, active="green")._replace(first=FIRST))
        await settled(pilot)
        await pilot.press("v")
        await settled(pilot)
        assert [name for name, _args in operator_of(app).previewed] == ["upgrade review"]
        await pilot.press("y")
        await settled(pilot)
        assert [name for name, *_ in operator_of(app).done] == ["upgrade review"]


@pytest.mark.parametrize(
    ("run", "verb", "size"),
    [
        (BLOCKED, "go", (118, 30)),
        (REVIEW, "review", NARROW),
        (HELD, "resume", NARROW),
        (HOSTILE, "go", NARROW),
        (HOSTILE, "go", WIDE),
    ],
)
async def test_the_ladder_is_on_the_overview_with_its_verb_at_every_size(
    run: UpgradeRun, verb: str, size: tuple[int, int]
) -> None:
    app = console(upgrading(run, "bob@ops-2"))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        text = drawn(app)
        line = next(line for line in text.splitlines() if "✔✔" in line or " ✔ shadow " in line)
        assert (f"s {verb}" in line) == (size != WIDE)
        assert size != WIDE or f":upgrade {verb}" in text
        assert "s upgrade: " in text.splitlines()[-1], "the footer says what the key does now"


async def test_without_a_run_there_is_no_ladder_and_the_key_says_switch() -> None:
    app = console(upgrading(READY))
    async with app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        assert "s upgrade: go on" in drawn(app)
        source_of(app).say(observation("fenced"))
        await pilot.pause(0.3)
        assert "Upgrade" not in drawn(app) and "s switch" in drawn(app).splitlines()[-1]


async def test_a_switch_with_every_gate_fits_the_smallest_terminal() -> None:
    app, operator = asking(upgrading(READY))
    operator.gates = (
        GateLine("canary", False, "canary green-2.5.0 is RUNNING at 5 %: −4.13 USD, 2 rounds in its last step"),
        *(GateLine(f"open-{n}", True, f"none of {n} is what it should not be") for n in range(12)),
        *(GateLine(f"unknown-{n}", False, "no source is configured", "not checked") for n in range(12)),
    )
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("s")
        await settled(pilot)
        text = drawn(app)
        for words in (
            "CLOSED       canary",
            "−4.13 USD",
            "open-11",
            "unknown-11",
            "plain agents obey",
            "No",
            "y Do it",
        ):
            assert words in text, words
        assert "more lines need" not in text
