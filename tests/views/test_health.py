"""What of a store's data is not well is said first, and what to do about it; nothing is said where nothing is wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.domain.seen.observation import Observation
from console.domain.text import Safe
from console.views.fence.link import link_view
from console.views.health import Check, health_view, overall
from console.views.tone import Tone
from tests.scenarios import NAMES, observation

FENCED = next(
    name
    for name in NAMES
    if link_view(observation(name)).fresh
    and (store := observation(name).store) is not None
    and store.deployment.authority is not None
)
"""A scenario with an authority."""


def checks(seen: Observation, name: str) -> list[Check]:
    return [check for check in health_view(seen) if check.name == name]


def damaged(*words: str, late: int = 0) -> Observation:
    seen = observation(FENCED)
    assert seen.store is not None
    deployment = seen.store.deployment
    assert deployment.authority is not None
    deployment = deployment._replace(authority=deployment.authority._replace(late=late))
    damage = tuple(Safe(one) for one in words)
    store = seen.store._replace(deployment=deployment._replace(damage=damage))
    return seen._replace(store=store)


@pytest.mark.parametrize("name", NAMES)
def test_of_a_store_of_which_nothing_bad_is_known_nothing_is_said(name: str) -> None:
    seen = observation(name)
    if seen.store is None or not seen.store.damage:
        assert checks(seen, "data") == []


def test_what_a_store_has_lost_is_bad_and_comes_right_after_the_store_itself() -> None:
    seen = damaged("the store went back: 6 actions of 14 that were seen")
    names = [check.name for check in health_view(seen)]
    assert names[:2] == ["store", "data"]
    check = checks(seen, "data")[0]
    assert (check.tone, check.text) == (Tone.BAD, "the store went back: 6 actions of 14 that were seen")
    assert check.hint
    assert overall(health_view(seen)) is Tone.BAD


def test_of_several_things_the_first_is_named_and_the_others_are_counted() -> None:
    seen = damaged("0 of 1 leases are there", "the newest actions are missing", "and more")
    assert checks(seen, "data")[0].text == "0 of 1 leases are there (and 2 more)"


@pytest.mark.parametrize(("late", "words"), [(1, "1 report came late"), (3, "3 reports came late")])
def test_reports_that_came_late_are_bad(late: int, words: str) -> None:
    check = checks(damaged(late=late), "late")[0]
    assert check.tone is Tone.BAD
    assert check.text.startswith(words)
    assert checks(damaged(), "late") == []


def test_while_the_store_is_away_what_was_known_is_said_as_a_memory_and_stays_bad() -> None:
    seen = damaged("0 of 1 leases are there")
    later = seen._replace(now=seen.now + timedelta(minutes=5), link=seen.link._replace(error=Safe("gone")))
    check = checks(later, "data")[0]
    assert check.tone is Tone.BAD
    assert check.text.endswith("0 of 1 leases are there")
