"""Who watches whom: all guards find the same answer, loads are even, and little moves when one comes or goes."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.guard.placement import WATCHERS, watchers, watches

names = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)
AGENTS = [f"agent-{number}" for number in range(2000)]


@given(names, st.lists(names, unique=True, max_size=8), st.integers(1, 4))
def test_there_are_as_many_watchers_as_wanted_where_there_are_as_many_guards(
    agent: str, guards: list[str], count: int
) -> None:
    chosen = watchers(agent, guards, count)
    assert len(chosen) == len(set(chosen)) == min(count, len(guards))
    assert set(chosen) <= set(guards)


@given(names, st.lists(names, unique=True, max_size=8), st.randoms())
def test_the_answer_depends_on_who_is_there_and_not_on_the_order_in_which_they_are_named(
    agent: str, guards: list[str], random: object
) -> None:
    mixed = [*guards, *guards[:2]]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert watchers(agent, mixed) == watchers(agent, guards)


@given(names, names, st.lists(names, unique=True, max_size=8))
def test_a_guard_knows_without_the_others_answer_whether_it_is_one_of_the_watchers(
    agent: str, guard: str, guards: list[str]
) -> None:
    assert watches(agent, guard, guards) == (guard in watchers(agent, guards))


@given(names, st.lists(names, unique=True, min_size=2, max_size=8), st.data())
def test_when_a_guard_leaves_only_its_own_agents_move_and_each_keeps_its_other_watcher(
    agent: str, guards: list[str], data: st.DataObject
) -> None:
    gone = data.draw(st.sampled_from(guards))
    before, after = watchers(agent, guards), watchers(agent, [guard for guard in guards if guard != gone])
    if gone not in before:
        assert after == before
    else:
        assert set(before) - {gone} <= set(after)


@given(names, names, st.lists(names, unique=True, min_size=2, max_size=8))
def test_when_a_guard_joins_it_displaces_one_watcher_at_most(agent: str, new: str, guards: list[str]) -> None:
    before, after = watchers(agent, guards), watchers(agent, [*guards, new])
    assert len(set(before) - set(after)) <= 1
    assert set(after) - set(before) <= {new}


@pytest.mark.parametrize("count", [2, 3, 5, 10])
def test_loads_are_even(count: int) -> None:
    guards = [f"host-{number}.example-{1000 + 37 * number}-a1b2" for number in range(count)]
    load = Counter(guard for agent in AGENTS for guard in watchers(agent, guards))
    fair = WATCHERS * len(AGENTS) / count
    assert sum(load.values()) == WATCHERS * len(AGENTS)
    assert all(abs(load[guard] - fair) <= 0.25 * fair for guard in guards)


def test_a_dead_guards_agents_are_spread_over_all_the_others() -> None:
    guards = [f"g{number}" for number in range(6)]
    gone = guards[0]
    taken = Counter(
        new
        for agent in AGENTS
        if gone in watchers(agent, guards)
        for new in set(watchers(agent, guards[1:])) - set(watchers(agent, guards))
    )
    fair = sum(taken.values()) / 5
    assert set(taken) == set(guards[1:])
    assert all(abs(taken[guard] - fair) <= 0.3 * fair for guard in guards[1:])
