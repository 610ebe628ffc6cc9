"""Every verb, agents of both kinds, a guard and a console work alike on every kind of server."""

from __future__ import annotations

from functools import cache

import pytest

from tests.matrix.kinds import kinds
from tests.matrix.parts import PARTS, Codes, machine_on, verbs

OURS = "valkey"


@cache
def codes_of_ours() -> Codes:
    """What each call ends with on the server that comes with the product."""
    with machine_on(kinds()[OURS]) as machine:
        return verbs(machine)


@pytest.mark.long
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", kinds())
def test_every_part_works_alike_on_every_kind_of_server(kind: str, part: str) -> None:
    with machine_on(kinds()[kind]) as machine:
        told = PARTS[part](machine)
    if part == "verbs" and kind != OURS:
        assert {words: code for words, code in told.items() if code != codes_of_ours()[words]} == {}


@pytest.mark.parametrize("kind", ["sentinel", "cluster"])
def test_agents_of_both_kinds_hand_over_on_several_machines(kind: str) -> None:
    with machine_on(kinds()[kind]) as machine:
        PARTS["agents"](machine)
