"""The browser: whole logs are read on its thread, and the loop that asks never waits for it."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.domain.errors import UsageError
from console.live.browsing import LiveBrowser
from console.logs.options import LogOptions

NOW = datetime(2026, 10, 2, tzinfo=UTC)


def log(path: Path, rows: int) -> Path:
    with path.open("w") as file:
        for number in range(rows):
            at = datetime.fromtimestamp(1_790_000_000 + number, UTC).isoformat()
            file.write(
                f'{{"timestamp":"{at}","agent_version":"blue-1","decision_type":"bet","input":{{}},'
                f'"output":{{"pnl":{number % 50 - 25}}},"reasoning":"r{number}"}}\n'
            )
    return path


def browser_of(*paths: Path) -> LiveBrowser:
    return LiveBrowser([str(path) for path in paths], LogOptions(), None, lambda _: bool, lambda: NOW)


async def until(browser: LiveBrowser, holds: object) -> None:
    async with asyncio.timeout(60):
        while not holds():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_pages_and_hits_are_told_on_the_loop_that_asked_and_read_on_another_thread(tmp_path: Path) -> None:
    browser = browser_of(log(tmp_path / "a.jsonl", 5000))
    told_on: set[int] = set()
    browser.told = lambda: told_on.add(threading.get_ident())
    browser.oldest()
    await until(browser, lambda: browser.seen.page is not None)
    page = browser.seen.page
    assert page is not None
    assert page.rows[0].decision.reasoning == "r0"
    browser.search("pnl<-24")
    await until(browser, lambda: browser.seen.hits is not None and browser.seen.hits.done)
    hits = browser.seen.hits
    assert hits is not None
    assert [spot.decision.reasoning for spot in hits.rows[-2:]] == ["r4900", "r4950"]
    assert told_on == {threading.get_ident()}
    assert any(thread.name == "browser" for thread in threading.enumerate())
    await browser.aclose()


async def test_a_wrong_question_is_refused_at_once_and_what_was_found_before_stays(tmp_path: Path) -> None:
    browser = browser_of(log(tmp_path / "a.jsonl", 50))
    browser.search("pnl<-24")
    await until(browser, lambda: browser.seen.hits is not None)
    before = browser.seen
    with pytest.raises(UsageError):
        browser.search("pnl<much")
    assert browser.seen == before
    await browser.aclose()


async def test_of_two_questions_only_the_last_is_answered(tmp_path: Path) -> None:
    browser = browser_of(log(tmp_path / "a.jsonl", 20_000))
    for text in ("absent", "also-absent", "r19999"):
        browser.search(text)
    answered: list[str] = []
    browser.told = lambda: answered.append(browser.seen.hits.text if browser.seen.hits else "")
    await until(browser, lambda: browser.seen.hits is not None and browser.seen.hits.done)
    assert set(answered) == {"r19999"}
    await browser.aclose()


async def test_a_log_that_is_no_file_is_named_and_does_not_end_the_reading(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").mkdir()
    browser = browser_of(log(tmp_path / "a.jsonl", 50), tmp_path / "b.jsonl")
    browser.oldest()
    await until(browser, lambda: browser.seen.page is not None)
    assert any("b.jsonl" in left for left in browser.seen.left)
    await browser.aclose()


async def test_a_disk_that_hangs_holds_up_neither_the_loop_nor_the_end(tmp_path: Path) -> None:
    hung = threading.Event()

    def clock() -> datetime:
        if threading.current_thread().name == "browser":
            hung.wait(30)
        return NOW

    browser = LiveBrowser([str(log(tmp_path / "a.jsonl", 50))], LogOptions(), None, lambda _: bool, clock)
    browser.oldest()
    browser.search("r1")
    browser.stop()
    browser.leave()
    browser.older()
    assert browser.seen.busy  # every call came back, and nothing was read
    await asyncio.wait_for(browser.aclose(), 20)
    hung.set()


async def test_the_loop_goes_on_while_a_long_log_is_searched(tmp_path: Path) -> None:
    browser = browser_of(log(tmp_path / "a.jsonl", 60_000))
    browser.search("absent")
    turns = 0
    async with asyncio.timeout(60):
        while browser.seen.hits is None or not browser.seen.hits.done:
            await asyncio.sleep(0)
            turns += 1
    hits = browser.seen.hits
    assert (hits.looked, hits.rows) == (hits.of, ())
    assert turns > 20  # a reading on the loop would let it turn once
    await browser.aclose()


async def test_who_leaves_gives_every_descriptor_back(tmp_path: Path) -> None:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("no /proc here")
    path = log(tmp_path / "a.jsonl", 50)

    def held() -> int:
        return sum(1 for one in folder.iterdir() if one.is_symlink() and _leads(one) == str(path))

    browser = browser_of(path)
    browser.oldest()
    await until(browser, lambda: browser.seen.page is not None)
    assert held() == 1
    browser.leave()
    await until(browser, lambda: held() == 0)
    await browser.aclose()


def _leads(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
