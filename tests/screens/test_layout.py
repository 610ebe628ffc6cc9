"""Where things stand on a screen, as text: a change of layout is seen here before an operator sees it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from console.domain.fleet.agents import FleetReading, Found
from console.domain.fleet.board import FleetSeen
from console.picture import export
from tests.scenarios import NOW, observation
from tests.scenarios.boards import observed_after_the_switch, seen
from tests.scenarios.fleet import FLEET
from tests.screens.doubles import CATALOGUE

RECORDED = Path(__file__).parent / "layouts"


@pytest.mark.parametrize(
    ("name", "screen", "size"),
    [
        ("fenced", "overview", (160, 48)),
        ("store-gone", "overview", (160, 48)),
        ("rolled-back", "overview", (160, 48)),
        ("in-doubt", "state", (160, 48)),
        ("tripped", "overview", (160, 48)),
        ("tripped", "overview", (80, 24)),
        ("tripped", "audit", (160, 48)),
        ("both-decide", "overview", (80, 24)),
        ("wrong-types", "overview", (80, 24)),
        ("unacknowledged", "overview", (80, 24)),
        ("draining", "overview", (80, 24)),
        *[
            (name, screen, size)
            for name, screen in (
                ("canary-undecided", "canary"),
                ("canary-harm", "canary"),
                ("shadow-diverging", "shadow"),
                ("experiments", "experiments"),
                ("canary-undecided", "overview"),
                ("upgrade-blocked", "overview"),
                ("upgrade-review", "overview"),
            )
            for size in ((160, 48), (80, 24))
        ],
    ],
)
async def test_a_screen_is_laid_out_as_recorded(name: str, screen: str, size: tuple[int, int]) -> None:
    text = (await export(observation(name), screen=screen, size=size, format="txt", catalogue=CATALOGUE)).decode()
    _compare(text, f"{name}-{'' if screen == 'overview' else screen + '-'}{size[0]}x{size[1]}")


@pytest.mark.parametrize(
    ("name", "screen", "size"),
    [
        *[
            (name, screen, size)
            for name, screen in (("draining-version", "state"), ("blocked", "checklist"))
            for size in ((160, 48), (80, 24))
        ],
        ("nothing-held", "state", (160, 48)),
        ("unread", "state", (80, 24)),
        ("after-switch", "checklist", (160, 48)),
        ("unread", "checklist", (80, 24)),
    ],
)
async def test_a_board_is_laid_out_as_recorded(name: str, screen: str, size: tuple[int, int]) -> None:
    switched = name in ("draining-version", "after-switch")
    shown = observed_after_the_switch() if switched else observation("fenced")
    data = await export(shown, screen=screen, size=size, format="txt", catalogue=CATALOGUE, seen=seen(name))
    _compare(data.decode(), f"{name}-{screen}-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
async def test_the_fleet_is_laid_out_as_recorded(size: tuple[int, int]) -> None:
    fleet = FleetSeen(FleetReading(NOW, NOW, FLEET, Found(passes=1)))
    text = await export(
        observation("fenced"), screen="fleet", size=size, format="txt", catalogue=CATALOGUE, fleet=fleet
    )
    _compare(text.decode(), f"fleet-{size[0]}x{size[1]}")


def _compare(text: str, name: str) -> None:
    recorded = RECORDED / f"{name}.txt"
    if os.environ.get("RECORD_LAYOUTS"):
        RECORDED.mkdir(exist_ok=True)
        recorded.write_text(text, encoding="utf-8")
    assert text.splitlines() == recorded.read_text(encoding="utf-8").splitlines()
