"""The decision feed says what it shows, and only what really went by is said to have gone by."""

from __future__ import annotations

from console.app import ConsoleApp
from console.domain.seen.observation import Observation
from console.screens.frame.ui_settings import UiSettings
from console.screens.parts.feeding import DecisionFeed
from tests.scenarios import observation
from tests.scenarios.parts import decision
from tests.screens.doubles import WIDE, RecordingOperator, ScriptedSource


def seen(*sequences_oldest_first: int) -> Observation:
    base = observation("blue-active")
    assert base.logs is not None
    rows = tuple(decision(n, 60 - place) for place, n in enumerate(sequences_oldest_first))
    return base._replace(logs=base.logs._replace(recent=rows, total=len(rows)))


async def keys_after(*observations: Observation) -> list[int]:
    source = ScriptedSource(observations[0])
    app = ConsoleApp(source, RecordingOperator(), UiSettings())
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        for later in observations[1:]:
            source.say(later)
            await pilot.pause(0.5)
        feed = app.screen.query_one(DecisionFeed)
        return [row.key for row in feed._rows]


async def test_records_that_two_logs_interleave_are_all_shown() -> None:
    keys = await keys_after(seen(1, 2), seen(1, 2, 4, 3), seen(1, 2, 4, 3, 6, 5))
    assert sorted(keys) == [1, 2, 3, 4, 5, 6]


async def test_what_went_by_faster_than_it_can_be_shown_is_counted_in_a_row_of_its_own() -> None:
    keys = await keys_after(seen(1, 2), seen(10, 11))
    assert [key for key in keys if key > 0] == [1, 2, 10, 11]
    assert len([key for key in keys if key < 0]) == 1
