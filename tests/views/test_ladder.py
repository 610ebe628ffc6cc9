"""An upgrade as a ladder: where it stands, since when, why, in whose hands, and the verb that comes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.fence.deployment import Slot
from console.domain.text import is_clean
from console.domain.upgrade.reading import next_word
from console.domain.upgrade.run import ORDER, RunState, StepName, StepState, UpgradeRun
from console.views.ladder import Ladder, ladder, ladder_line, ladder_lines
from tests.scenarios import observation
from tests.scenarios.parts import NOW
from tests.scenarios.upgrading import (
    ABORTED,
    BLOCKED,
    HELD,
    HOSTILE,
    READY,
    REVIEW,
    WATCHING,
    at,
    decided,
    upgrading,
)


def shown(run: UpgradeRun, walker: str = "") -> Ladder:
    told = ladder(upgrading(run, walker))
    assert told is not None
    return told


@pytest.mark.parametrize(
    ("run", "verb"),
    [
        (BLOCKED, "upgrade go"),
        (READY, "upgrade go"),
        (REVIEW, "upgrade review"),
        (replace(REVIEW, steps=tuple(replace(one, by="ann") for one in REVIEW.steps)), "upgrade go"),
        (at(StepName.REVIEW, StepState.RUNNING, "4 of 10 decisions", evidence=decided(4)), "upgrade go"),
        (WATCHING, "upgrade go"),
        (HELD, "upgrade resume"),
        (replace(WATCHING, state=RunState.HELD, note="changed by bob: switched blue"), "upgrade abort"),
        (ABORTED, ""),
        (replace(WATCHING, state=RunState.DONE), ""),
    ],
)
def test_every_state_of_a_run_names_the_verb_that_comes_next(run: UpgradeRun, verb: str) -> None:
    assert next_word(run, Slot.BLUE).command == shown(run).next.command == verb
    assert (":upgrade" in text(ladder_lines(shown(run), "s"))) == bool(verb)


def test_a_blocked_step_says_what_is_in_its_way_and_for_how_long_it_has_stood_there() -> None:
    told = shown(BLOCKED, "ana@ops-1")
    assert (told.state, told.step, told.at, told.age) == ("✖ BLOCKED", "gates", "3 of 11", "2 min")
    assert told.why == "disputes: escrow esc_91ab is in dispute since 14:01:02Z"
    assert "walked by ana@ops-1" in told.hands
    assert "snapshot: 20260314T140011Z-4f, 0.1 s old" in told.evidence


def test_a_run_that_nobody_walks_says_so() -> None:
    assert "nobody walks it" in shown(READY).hands


def test_a_clock_that_runs_is_counted_down() -> None:
    assert shown(WATCHING).why.startswith("25 min left: ")


def test_a_held_run_says_by_whose_hand() -> None:
    assert shown(HELD).why == "changed by bob@ops-2: switched green at 14:02:58Z"


def test_an_aborted_run_says_where_it_ended_until_three_days_later() -> None:
    assert shown(ABORTED).why == "it is odd; BLUE acts, with all the capital"
    old = replace(ABORTED, began_at=NOW - timedelta(hours=80), steps=UpgradeRun.__dataclass_fields__["steps"].default)
    assert ladder(upgrading(old)) is None


def test_a_run_that_can_t_be_read_is_loud() -> None:
    told = ladder(upgrading(None, problem="The stored upgrade has no revision."))
    assert told is not None and told.state == "? UNREADABLE" and "no revision" in told.why
    assert len(ladder_lines(told, "s")) == 1


def text(lines: tuple[tuple[tuple[str, object], ...], ...]) -> str:
    return "\n".join("".join(part for part, _tone in line) for line in lines)


def test_nothing_from_outside_is_drawn_as_it_came() -> None:
    told = shown(HOSTILE, "\x1b[2J")
    for line in (*ladder_lines(told, "s"), ladder_line(told, "s")):
        for part, _tone in line:
            assert is_clean(part) or all(is_clean(word) for word in part.split("\n")), part


def test_columns_stand_where_they_stood_whatever_the_run_says() -> None:
    starts = set()
    for run in (BLOCKED, READY, REVIEW, HELD, WATCHING):
        line = "".join(part for part, _tone in ladder_line(shown(run), "s"))
        starts.add((line.index(shown(run).state[:1], len(ORDER) + 2), line.index("s ", 35)))
        assert len(text(ladder_lines(shown(run), "s")).splitlines()[0]) < 116
    assert len(starts) == 1


def test_no_run_shows_nothing() -> None:
    assert ladder(observation("fenced")) is None
