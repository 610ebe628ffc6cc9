"""Which files are whose: of many agents, only what has an agent's name in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.guard.setup.options import GuardOptions
from console.logs.options import LogOptions


@pytest.mark.parametrize(
    ("venue", "agent", "path"),
    [
        (None, "agent", None),
        ("/etc/venue.toml", "agent", "/etc/venue.toml"),
        ("/etc/venue.toml", "a7", None),
        ("/etc/{agent}/venue.toml", "a7", "/etc/a7/venue.toml"),
    ],
)
def test_a_venue_is_an_agents_own(venue: str | None, agent: str, path: str | None) -> None:
    options = GuardOptions("", "agent", (), LogOptions(), venue=Path(venue) if venue else None)
    assert options.venue_of(agent) == (Path(path) if path else None)
