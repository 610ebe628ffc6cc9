"""A first run, with nothing configured: what was looked for and where, and the three ways on."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.cli.first_run import WAYS, first_run
from console.config import load
from console.domain.fence.deployment import Deployment, read_active
from console.domain.seen.observation import Observation
from tests.cli.conftest import Cli
from tests.scenarios.parts import deployment, logs, observed, store
from tests.screens.doubles import NARROW, WIDE, console, drawn


def nothing() -> Observation:
    """A store without a key, no guard, no log."""
    return observed(store(deployment(None), readings={}, receipts=())._replace(guards=()), None)


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_a_first_run_says_what_was_looked_for_and_the_three_ways_on(size: tuple[int, int], home: Path) -> None:
    app = console(nothing(), first_run=first_run(load()))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        text = drawn(app)
        for command, what in WAYS:
            assert command in text
            assert what in text
        assert "config.toml" in " ".join(first_run(load()))


async def test_once_a_log_is_followed_or_somebody_was_active_it_is_no_first_run(home: Path) -> None:
    lines = first_run(load())
    for seen_now in (
        nothing()._replace(logs=logs()),
        observed(store(Deployment(read_active("blue"), None, ())), None),
    ):
        app = console(seen_now, first_run=lines)
        async with app.run_test(size=WIDE) as pilot:
            await pilot.pause()
            assert WAYS[0][0] not in drawn(app)


def test_a_configuration_a_store_or_a_log_is_no_first_run(home: Path) -> None:
    assert first_run(load())
    assert first_run(load({"url": "redis://ops-1"})) == ()
    assert first_run(load({"decisions": ("a.jsonl",)})) == ()
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "config.toml").write_text("")
    assert first_run(load()) == ()


def test_status_without_anything_says_it_too_and_starts_nothing(cli: Cli, home: Path) -> None:
    result = cli("status", url=None)
    assert result.code != 0
    for command, _what in WAYS:
        assert command in result.err
    assert not (home / "data" / "store").exists()
