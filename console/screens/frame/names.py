"""The screens that one can go to: their keys, names and titles. A new screen is one file in `places` and one line
here."""

from __future__ import annotations

from typing import Final, NamedTuple


class ScreenName(NamedTuple):
    """A screen that exists.

    Args:
        digit: its key.
        name: in ids and in `:screen NAME`.
        title: as shown.
        where: module and class below `console.screens.places`.
    """

    digit: str
    name: str
    title: str
    where: str


OVERVIEW: Final = "overview"
"""The screen that is always there, below whatever is in front."""

SCREENS: Final = (
    ScreenName("1", OVERVIEW, "Overview", "overview:OverviewScreen"),
    ScreenName("2", "decisions", "Decisions", "decisions:DecisionsScreen"),
    ScreenName("3", "shadow", "Shadow", "shadow:ShadowScreen"),
    ScreenName("4", "canary", "Canary", "canary:CanaryScreen"),
    ScreenName("5", "flags", "Flags", "flags:FlagsScreen"),
    ScreenName("6", "state", "State", "state:StateScreen"),
    ScreenName("7", "checklist", "Checklist", "checklist:ChecklistScreen"),
    ScreenName("8", "audit", "Audit", "audit:AuditScreen"),
    ScreenName("9", "experiments", "Experiments", "experiments:ExperimentsScreen"),
    ScreenName("0", "fleet", "Fleet", "fleet:FleetScreen"),
)
