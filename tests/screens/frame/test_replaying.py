"""A console on a replay: it says that it is one, its keys move time, and whatever would change something is refused;
a console on the present keeps what it sees when asked to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from console.app import ConsoleApp
from console.domain.seen.looking import Looking, LookingKind
from console.picture import LookingOnly, screen_text
from console.recording.player import Player
from console.recording.timeline import RecordedTimeline
from console.screens.frame.keys import global_bindings
from console.screens.frame.ui_settings import UiSettings
from tests.recording.test_recording import recorded, stretch
from tests.recording.values import written
from tests.scenarios import observation
from tests.screens.doubles import CATALOGUE, NARROW, WIDE, console, source_of, status_of
from tests.waiting import until_async

SEEN = stretch(60)


def replaying(folder: Path, *, cut: int = 0, **settings: object) -> ConsoleApp:
    """A console on a recording, standing still."""
    path = recorded(folder / "a.rec", SEEN, end=not cut)
    path.write_bytes(path.read_bytes()[: -cut or None])
    timeline = RecordedTimeline([path])
    player = Player(timeline, playing=False, missing=timeline.missing)
    return ConsoleApp(
        player,
        LookingOnly(CATALOGUE, "this is a replay"),
        UiSettings(**settings),  # type: ignore[arg-type]
        clock=lambda: player.moment,
    )


async def shown(app: ConsoleApp, *texts: str) -> str:
    """The screen, once all of these stand on it."""
    await until_async(lambda: all(text in screen_text(app) for text in texts), f"{texts} on\n{screen_text(app)}")
    return screen_text(app)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=str)
async def test_the_header_says_that_it_is_a_replay_at_every_size_and_nothing_calls_it_live(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app = replaying(tmp_path)
    async with app.run_test(size=size) as pilot:
        header = (await shown(app, "REPLAY 14:03:11 stands")).splitlines()[0]
        assert "LIVE" not in header
        assert "live" not in screen_text(app)
        assert "RO" in header
        await pilot.press("greater_than_sign", "greater_than_sign", "p")
        assert "LIVE" not in await shown(app, "×5")


async def test_what_the_connection_was_then_is_said_where_it_was_not_live(tmp_path: Path) -> None:
    gone = observation("store-gone")
    path = recorded(tmp_path / "a.rec", [gone])
    player = Player(RecordedTimeline([path]), playing=False)
    app = ConsoleApp(player, LookingOnly(CATALOGUE), UiSettings(), clock=lambda: player.moment)
    async with app.run_test(size=WIDE):
        await shown(app, "REPLAY", "then RECONNECTING")


async def test_its_keys_move_time_and_stand_in_the_footer_of_a_replay_only(tmp_path: Path) -> None:
    app = replaying(tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        footer = (await shown(app, "REPLAY 14:03:11 stands")).splitlines()[-1]
        for hint in ("p pause", "[ event", "] event", "( frame", ") frame", "< slower", "> faster"):
            assert hint in footer
        await pilot.press("right_square_bracket")
        await shown(app, "REPLAY 14:03:17", "switch: active version blue → green")
        await pilot.press(*["right_parenthesis"] * 4)
        await shown(app, "REPLAY 14:03:18")
        await pilot.press(*["left_parenthesis"] * 5)
        await shown(app, "REPLAY 14:03:17")
        await pilot.press("colon", *"at 14:03:20", "enter")
        await shown(app, "REPLAY 14:03:20")
    live = console()
    async with live.run_test(size=WIDE) as pilot:
        assert "faster" not in screen_text(live).splitlines()[-1]
        await pilot.press("greater_than_sign")
        assert "has no function here" in status_of(live)
        await pilot.press("right_square_bracket")
        assert "can't look back" in status_of(live)


@pytest.mark.parametrize("keys", [("s",), ("R",), ("H",), ("S",), ("5", "space")], ids=str)
async def test_whatever_would_change_something_is_refused_as_a_replay(tmp_path: Path, keys: Sequence[str]) -> None:
    app = replaying(tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await shown(app, "REPLAY")
        await pilot.press(*keys)
        await shown(app, "this is a replay")


async def test_what_is_missing_of_a_recording_is_told_on_its_screens(tmp_path: Path) -> None:
    app = replaying(tmp_path, cut=3)
    async with app.run_test(size=WIDE):
        await shown(app, "▲ incomplete")


async def test_a_jump_shows_the_decisions_of_that_moment_and_counts_none_as_gone_by(tmp_path: Path) -> None:
    app = replaying(tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await shown(app, "REPLAY")
        await pilot.press("2")
        _typed(app, "at 14:03:20")
        ahead = await shown(app, "REPLAY 14:03:20")
        assert "went by" not in ahead
        _typed(app, "at 14:03:12")
        back = await shown(app, "REPLAY 14:03:12")
        assert ahead.count("14:03:1") > back.count("14:03:1")


async def test_a_recording_of_what_no_screen_can_draw_leaves_the_console_standing_and_says_so(tmp_path: Path) -> None:
    seen = observation("canary-undecided")
    assert seen.store is not None
    canary = seen.store.canary
    assert canary is not None
    run = canary.run._replace(position=replace(canary.run.position, step=-99))
    store = seen.store._replace(canary=canary._replace(run=run))
    player = Player(RecordedTimeline([recorded(tmp_path / "a.rec", [seen._replace(store=store)])]), playing=False)
    app = ConsoleApp(player, LookingOnly(CATALOGUE), UiSettings(), clock=lambda: player.moment)
    async with app.run_test(size=WIDE):
        drawn = await shown(app, "REPLAY", "OFFLINE")
        assert "not known" in drawn
        assert "2.5.0" not in drawn


def test_the_keys_of_a_replay_have_ids_and_can_be_moved() -> None:
    ids = {binding.id for binding in global_bindings(CATALOGUE)}
    assert {"view.at_previous_event", "view.at_next_event", "view.replay_back", "view.replay_on"} <= ids
    assert {"view.replay_slower", "view.replay_faster"} <= ids


def _typed(app: ConsoleApp, line: str) -> None:
    app.call_later(app.submit, line)


async def test_a_console_records_what_it_sees_and_says_so_in_its_header(tmp_path: Path) -> None:
    app = console(SEEN[0])
    file = tmp_path / "seen.rec"  # typed as it stands: each test's folder is the working one
    async with app.run_test(size=WIDE):
        _typed(app, f"record {file.name}")
        await shown(app, "Recording into")
        source_of(app).say(SEEN[1])
        assert "REC" in (await shown(app, "REC")).splitlines()[0]
        past = Looking(LookingKind.PAST, SEEN[2].now, SEEN[0].now, SEEN[9].now)
        source_of(app).say(SEEN[2]._replace(looking=past))  # what is over is no part of what is seen now
        source_of(app).say(SEEN[3])
        _typed(app, "record other")
        await shown(app, "frames,")
        _typed(app, "record stop")
        await shown(app, "Recorded:")
        await until_async(lambda: "REC " not in screen_text(app).splitlines()[0])
        _typed(app, "record stop")
        await shown(app, "Nothing is recorded now.")
        _typed(app, f"record {file.name}")
        await shown(app, "there already")
    timeline = RecordedTimeline([file])
    assert timeline.missing == ()
    assert written(timeline.at(SEEN[1].now)) == written(SEEN[1])
    assert timeline.at(SEEN[2].now) == SEEN[1]._replace(now=SEEN[2].now)
    assert timeline.bounds()[1] == SEEN[3].now


async def test_a_console_that_is_left_ends_its_recording(tmp_path: Path) -> None:
    app = console(SEEN[0])
    async with app.run_test(size=WIDE):
        _typed(app, "record a.rec")
        await shown(app, "Recording into")
    assert RecordedTimeline([tmp_path / "a.rec"]).missing == ()


async def test_a_console_that_may_only_look_records_nothing(tmp_path: Path) -> None:
    app = console("read-only")
    async with app.run_test(size=WIDE):
        _typed(app, "record a.rec")
        await shown(app, "writes no file")
    assert not (tmp_path / "a.rec").exists()
