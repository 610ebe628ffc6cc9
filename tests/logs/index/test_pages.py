"""Pages of whole logs: every row once and in order, in both directions, whatever lies between them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from console.logs.index.logs import LogIndex
from console.logs.index.pages import MOST_ROWS, Pages, one_line
from console.logs.options import LogOptions

OPTIONS = LogOptions(max_line_bytes=64 * 1024)


def line(at_s: float, name: str, more: str = "") -> bytes:
    return (
        f'{{"timestamp":"2026-10-{1 + int(at_s // 86400):02d}T{int(at_s // 3600) % 24:02d}:{int(at_s // 60) % 60:02d}:'
        f'{at_s % 60:09.6f}Z","agent_version":"blue-1","decision_type":"bet","input":{{}},'
        f'"output":{{"pnl":1}},"reasoning":"{name}{more}"}}'
    ).encode()


def opened(*paths: Path) -> LogIndex:
    return LogIndex([str(path) for path in paths], OPTIONS, None)


def names(pages: Pages) -> list[str]:
    return [str(spot.decision.reasoning) for spot in pages.page().rows]


@pytest.fixture
def two_logs(tmp_path: Path) -> tuple[list[Path], list[str]]:
    """Two logs that lie between each other in time, with refused lines and lines that are too long among theirs."""
    draw = random.Random(7)
    lines: list[list[bytes]] = [[], []]
    order = []
    for number in range(4000):
        which = draw.randrange(2)
        lines[which].append(line(number * 0.5, f"r{number}", "x" * draw.choice((0, 10, 900))))
        order.append(f"r{number}")
        if number % 97 == 0:
            lines[which].append(draw.choice((b"", b"{no json", b"y" * 200_000)))
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for path, those in zip(paths, lines, strict=True):
        path.write_bytes(b"\n".join(those) + (b"" if path.name == "b.jsonl" else b"\n"))
    return paths, order


def short(rows: list[str]) -> list[str]:
    return [row.rstrip("x").rstrip("…").rstrip("x") for row in rows]


@pytest.mark.parametrize("indexed", [False, True])
def test_going_back_page_by_page_shows_every_row_once_and_in_the_order_of_time(
    two_logs: tuple[list[Path], list[str]], *, indexed: bool
) -> None:
    paths, order = two_logs
    logs = opened(*paths)
    while indexed and not logs.step(1.0):
        pass
    pages = Pages(logs.files, OPTIONS, 0.0)
    pages.to_end()
    seen: list[str] = []
    while more := pages.older(100):
        seen = short(names(pages))[:more] + seen
        assert len(pages.page().rows) <= MOST_ROWS
    assert seen == order
    assert pages.page().first
    assert not pages.page().last
    logs.close()


def test_going_forth_again_shows_every_row_that_was_let_go(two_logs: tuple[list[Path], list[str]]) -> None:
    paths, order = two_logs
    logs = opened(*paths)
    pages = Pages(logs.files, OPTIONS, 0.0)
    pages.to_end()
    while pages.older(300):
        pass
    seen = short(names(pages))
    while more := pages.newer(100):
        seen += short(names(pages))[-more:]
    assert seen == order
    assert pages.page().last
    logs.close()


def test_the_page_of_a_row_holds_what_lies_around_it_in_every_log(two_logs: tuple[list[Path], list[str]]) -> None:
    paths, order = two_logs
    logs = opened(*paths)
    pages = Pages(logs.files, OPTIONS, 0.0)
    pages.to_start()
    pages.newer(1400)
    wanted = pages.page().rows[1300]
    pages.to(wanted.key, wanted.decision.at.timestamp())
    pages.newer(10)
    pages.older(10)
    assert short(names(pages)) == order[1290:1310]
    logs.close()


@pytest.mark.parametrize("indexed", [False, True])
def test_how_many_lines_follow_is_counted_once_there_is_an_index(tmp_path: Path, *, indexed: bool) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b"".join(line(number * 0.1, f"r{number}") + b"\n" for number in range(6000)))
    logs = opened(path)
    while indexed and not logs.step(1.0):
        pass
    pages = Pages(logs.files, OPTIONS, 0.0)
    pages.to_start()
    pages.newer(100)
    page = pages.page()
    assert page.exact is indexed
    if indexed:
        assert page.newer == 5900
    else:
        assert 5900 * 0.8 < page.newer < 5900 * 1.2
    logs.close()


def test_one_line_is_read_at_its_place_and_nowhere_else(two_logs: tuple[list[Path], list[str]]) -> None:
    paths, _order = two_logs
    logs = opened(*paths)
    pages = Pages(logs.files, OPTIONS, 0.0)
    pages.to_end()
    pages.older(200)
    for spot in pages.page().rows[::20]:
        hit = one_line(logs.files, spot.path, spot.decision.offset, OPTIONS)
        assert hit is not None
        assert hit.row.time_s == spot.decision.at.timestamp()
        assert one_line(logs.files, spot.path, spot.decision.offset + 1, OPTIONS) is None
    assert one_line(logs.files, "a.jsonl", 10**15, OPTIONS) is None
    logs.close()


def test_an_empty_log_has_an_empty_page(tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_bytes(b"")
    logs = opened(path)
    pages = Pages(logs.files, OPTIONS, 0.0)
    pages.to_end()
    assert pages.older() == 0
    page = pages.page()
    assert page.rows == ()
    assert page.first
    assert page.last
    assert (page.newer, page.exact) == (0, True)
    logs.close()


def test_of_a_log_that_was_cut_meanwhile_nothing_is_made_up(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    path.write_bytes(b"".join(line(number * 0.1, f"r{number}") + b"\n" for number in range(3000)))
    logs = opened(path)
    pages = Pages(logs.files, OPTIONS, 0.0)
    pages.to_end()
    pages.older(10)
    path.write_bytes(line(1, "new") + b"\n")
    pages.older(5000)
    assert set(short(names(pages))) <= {"new", *(f"r{number}" for number in range(2990, 3000))}
    logs.close()
