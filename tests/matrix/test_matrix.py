"""Every verb, agents of both kinds, a guard and a console work alike on every kind of server."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.matrix.kinds import kinds
from tests.matrix.parts import PARTS, Codes, Machine, verbs

OURS = "valkey"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: a socket's is."""
    path = Path(tempfile.mkdtemp(prefix="ac-")).resolve()
    yield path
    shutil.rmtree(path, ignore_errors=True)


@cache
def codes_of_ours() -> Codes:
    """What each call ends with on the server that comes with the product."""
    path = Path(tempfile.mkdtemp(prefix="ac-")).resolve()
    try:
        (path / "server").mkdir()
        (path / "home").mkdir()
        with kinds()[OURS](path / "server") as stage:
            return verbs(Machine(path / "home", stage))
    finally:
        shutil.rmtree(path, ignore_errors=True)


@pytest.mark.long
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", kinds())
def test_every_part_works_alike_on_every_kind_of_server(folder: Path, kind: str, part: str) -> None:
    (folder / "server").mkdir()
    (folder / "home").mkdir()
    with kinds()[kind](folder / "server") as stage:
        told = PARTS[part](Machine(folder / "home", stage))
        if part == "verbs" and kind != OURS:
            assert {words: code for words, code in told.items() if code != codes_of_ours()[words]} == {}


@pytest.mark.parametrize("kind", ["sentinel", "cluster"])
def test_agents_of_both_kinds_hand_over_on_several_machines(folder: Path, kind: str) -> None:
    (folder / "server").mkdir()
    (folder / "home").mkdir()
    with kinds()[kind](folder / "server") as stage:
        PARTS["agents"](Machine(folder / "home", stage))
