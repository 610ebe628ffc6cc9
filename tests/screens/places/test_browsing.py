"""Screen 2 over whole logs: back to the first line, search in everything, and back to the newest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from console.app import ConsoleApp
from console.domain.seen.decision import Decision
from console.domain.seen.looking import Looking, LookingKind
from console.domain.text import Safe
from console.live.browsing import LiveBrowser
from console.logs.options import LogOptions
from console.screens.frame.ui_settings import UiSettings
from console.screens.parts.paging import EdgeFeed, PageList
from console.screens.places.decisions import DecisionsScreen
from tests.scenarios import NOW, observation
from tests.screens.doubles import RecordingOperator, ScriptedSource

ROWS = 3000
RECENT = 40


def log(path: Path) -> list[int]:
    offsets, at = [], 0
    with path.open("wb") as file:
        for number in range(ROWS):
            when = NOW - timedelta(seconds=ROWS - number)
            line = (
                f'{{"timestamp":"{when.astimezone(UTC).isoformat()}","agent_version":"blue-1","decision_type":"bet",'
                f'"input":{{}},"output":{{"action":"BET","pnl":{number % 50 - 25}}},"reasoning":"r{number}"}}\n'
            ).encode()
            offsets.append(at)
            at += file.write(line)
    return offsets


@asynccontextmanager
async def screen_two(
    tmp_path: Path, looking: Looking | None = None
) -> AsyncIterator[tuple[Pilot[int], DecisionsScreen, LiveBrowser]]:
    path = tmp_path / "a.jsonl"
    offsets = log(path)
    base = observation("blue-active")
    assert base.logs is not None
    recent = tuple(
        Decision(
            at=NOW - timedelta(seconds=ROWS - number),
            version=Safe("blue-1"),
            slot="",
            kind=Safe("bet"),
            outcome=Safe("BET"),
            reasoning=Safe(f"r{number}"),
            source=Safe("a.jsonl"),
            offset=offsets[number],
            sequence=number + 1,
        )
        for number in range(ROWS - RECENT, ROWS)
        if looking is None or NOW - timedelta(seconds=ROWS - number) <= looking.at
    )
    seen = base._replace(logs=base.logs._replace(recent=recent, total=RECENT), looking=looking)
    browser = LiveBrowser([str(path)], LogOptions(), None, lambda _: bool, lambda: datetime.now(UTC))
    app = ConsoleApp(ScriptedSource(seen), RecordingOperator(), UiSettings(), clock=lambda: NOW, browser=browser)
    try:
        async with app.run_test(size=(120, 30)) as pilot:
            await pilot.press("2")
            await pilot.pause()
            screen = app.console_screen
            assert isinstance(screen, DecisionsScreen)
            yield pilot, screen, browser
    finally:
        await browser.aclose()


async def until(pilot: Pilot[int], holds: object) -> None:
    for _ in range(1200):
        if holds():  # type: ignore[operator]
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not come")


def shown(screen: DecisionsScreen) -> str:
    spot = screen.query_one(PageList).spot
    return str(spot.decision.reasoning) if spot is not None else ""


async def test_above_the_first_row_of_the_feed_the_log_goes_on(tmp_path: Path) -> None:
    async with screen_two(tmp_path) as (pilot, screen, _browser):
        feed, pages = screen.query_one(EdgeFeed), screen.query_one(PageList)
        while feed._cursor:
            await pilot.press("pageup")
        await pilot.press("up")
        await until(pilot, lambda: shown(screen) == f"r{ROWS - RECENT - 1}")
        assert pages.display
        assert not feed.display
        assert f"{RECENT} lines back" in screen.panel.title
        await pilot.press("down")
        assert shown(screen) == f"r{ROWS - RECENT}"


async def test_home_is_the_first_line_of_the_log_and_end_follows_the_newest_again(tmp_path: Path) -> None:
    async with screen_two(tmp_path) as (pilot, screen, _browser):
        await pilot.press("home")
        await until(pilot, lambda: shown(screen) == "r0")
        await until(pilot, lambda: f"{ROWS - 1:,} lines back" in screen.panel.title)
        for _ in range(3):
            await pilot.press("pagedown")
        assert shown(screen) not in ("", "r0")
        await pilot.press("G")
        feed = screen.query_one(EdgeFeed)
        assert feed.display
        assert feed.following
        assert screen.focused is feed


@pytest.mark.long
async def test_page_by_page_one_comes_from_the_first_line_to_the_newest_again(tmp_path: Path) -> None:
    async with screen_two(tmp_path) as (pilot, screen, browser):
        await pilot.press("home")
        await until(pilot, lambda: shown(screen) == "r0")
        met = {shown(screen)}
        for _ in range(400):
            if screen.query_one(EdgeFeed).display:
                break
            await pilot.press("pagedown")
            await until(pilot, lambda: not browser.seen.busy)
            met.add(shown(screen))
        assert screen.query_one(EdgeFeed).display
        assert len(met) > ROWS // 30


async def test_a_search_is_over_everything_and_n_goes_from_hit_to_hit(tmp_path: Path) -> None:
    async with screen_two(tmp_path) as (pilot, screen, browser):
        await pilot.press("slash", *"pnl<-24", "enter")
        await until(pilot, lambda: browser.seen.hits is not None and browser.seen.hits.done)
        assert shown(screen) == "r2950"
        assert "n goes to an older hit" in screen.status_text
        assert f"hit 1 of {ROWS // 50}" in screen.panel.title
        await pilot.press("n")
        assert shown(screen) == "r2900"
        await pilot.press("i")
        await until(pilot, lambda: screen.query_one(PageList).shown > ROWS // 50)
        assert shown(screen) == "r2900"
        await pilot.press("n")
        await until(pilot, lambda: shown(screen) == "r2850")
        await pilot.press("N", "N")
        await until(pilot, lambda: shown(screen) == "r2950")
        await pilot.press("N")
        assert "no newer hit" in screen.status_text
        await pilot.press("escape", "escape")
        assert screen.query_one(EdgeFeed).display


async def test_a_wrong_term_is_told_in_the_line(tmp_path: Path) -> None:
    async with screen_two(tmp_path) as (pilot, screen, _browser):
        await pilot.press("slash", *"pnl<much")
        await pilot.pause()
        assert screen._filter_line is not None
        assert "no amount of money" in screen._filter_line._caption._text
        await pilot.press("enter")
        assert "no amount of money" in screen.status_text


async def test_a_log_that_went_away_is_told_and_the_newest_can_be_followed_again(tmp_path: Path) -> None:
    async with screen_two(tmp_path) as (pilot, screen, browser):
        (tmp_path / "a.jsonl").unlink()
        await pilot.press("home")
        await until(pilot, lambda: not browser.seen.busy)
        assert screen.query_one(PageList).shown == 0
        await pilot.press("escape")
        assert screen.query_one(EdgeFeed).display


async def test_while_one_looks_back_neither_a_page_nor_a_search_shows_what_came_later(tmp_path: Path) -> None:
    moment = NOW - timedelta(seconds=20)
    then = Looking(LookingKind.PAST, moment, NOW - timedelta(days=1), NOW)
    async with screen_two(tmp_path, then) as (pilot, screen, browser):
        feed, pages = screen.query_one(EdgeFeed), screen.query_one(PageList)
        while feed._cursor:
            await pilot.press("pageup")
        await pilot.press("up")
        await until(pilot, lambda: shown(screen) == f"r{ROWS - RECENT - 1}")
        for _ in range(RECENT - 20):
            await pilot.press("down")
        await until(pilot, lambda: pages.display and shown(screen) == "r2979")
        assert pages.spot is not None and pages.spot.decision.at <= moment
        await pilot.press("down", "down")
        await until(pilot, lambda: feed.display and not pages.display)  # the newest of that moment
        browser.search("r29")
        await until(pilot, lambda: browser.seen.hits is not None and browser.seen.hits.done)
        hits = browser.seen.hits
        assert hits is not None and hits.rows
        assert max(spot.decision.at for spot in hits.rows) == moment
        browser.search("since:10s r29")
        await until(pilot, lambda: browser.seen.hits is not None and browser.seen.hits.done)
        assert browser.seen.hits is not None and len(browser.seen.hits.rows) == 11
