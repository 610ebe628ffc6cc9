"""What the store is asked grows with the agents at the most in proportion, and not at all with keys of others: the
short version of `python -m tests.bench --only growth`, by the store's own counters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from console.store.reading import place, reader, sections
from tests.bench.growth_counts import OPTIONS, Counted, counted, exponent
from tests.bench.turns import Cost
from tests.servers import Server

AGENTS = (1, 10, 100)
FOREIGN = 50_000
TURN_COMMANDS = 43
"""A console's turn, its scripts' calls among them."""
TURN_BYTES = 4_700
GUARD_COMMANDS = 140
"""Of a guard's look, for each agent."""
DIGITS_B = 60
"""Numbers are longer where there is more: of keys, of cursors."""


def by_foreign(server: Server, agents: int) -> tuple[Counted, Counted]:
    alone, among = (one for one, _sim in counted(server, agents, (0, FOREIGN), turns=5))
    return alone, among


def size(cost: Cost) -> float:
    return cost.sent + cost.got


def test_a_turn_costs_the_same_for_any_number_of_agents_and_of_keys_of_others_and_the_rest_grows_in_proportion(
    valkey_server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AGAIN_S", "AGAIN_MOST_S"):  # what is read again by the clock is not what this counts
        monkeypatch.setattr(sections, name, 1e9)
    monkeypatch.setattr(reader, "EXAMINE_S", 1e9)
    monkeypatch.setattr(place, "ASK_S", 1e9)
    sizes = [
        by_foreign(valkey_server(**{name.replace("-", "_"): value for name, value in OPTIONS.items()}), agents)
        for agents in AGENTS
    ]
    for alone, among in sizes:
        assert among.turn.commands == alone.turn.commands == TURN_COMMANDS
        assert size(alone.turn) <= TURN_BYTES
        assert abs(size(among.turn) - size(alone.turn)) <= DIGITS_B
        assert among.found.commands == alone.found.commands
        assert abs(size(among.found) - size(alone.found)) <= DIGITS_B
    few, some, many = (alone for alone, _among in sizes)
    assert exponent((10, 100), (some.found.commands, many.found.commands)) <= 1.0
    assert exponent((10, 100), (some.guard.commands, many.guard.commands)) <= 1.1
    assert many.guard.commands <= GUARD_COMMANDS * many.agents
    assert (many.store - few.store) / (some.store - few.store) <= 1.5 * 99 / 9


@pytest.mark.parametrize(("power", "told"), [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)])
def test_the_exponent_is_that_of_the_power_by_which_a_cost_grows(power: float, told: float) -> None:
    sizes = (1, 10, 1_000)
    assert exponent(sizes, [7.0 * number**power for number in sizes]) == pytest.approx(told)
