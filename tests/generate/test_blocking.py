"""The two worlds can't drift apart: the blocking side is what the asyncio side gives, and no asyncio is left in it."""

from __future__ import annotations

import pytest

from tests import ROOT
from tests.generate import blocking


def test_every_blocking_module_is_what_its_asyncio_source_gives() -> None:
    assert blocking.stale() == []


@pytest.mark.parametrize(("source", "target"), blocking.WRITTEN.items())
def test_a_written_module_says_so_and_names_its_source(source: str, target: str) -> None:
    head = (ROOT / target).read_text("utf-8").splitlines()[:2]
    assert "Generated, do not edit" in head[0]
    assert source in head[1]


def test_what_no_substitution_knows_is_refused_and_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking, "SUBSTITUTIONS", blocking.SUBSTITUTIONS[:4])
    with pytest.raises(ValueError, match="async"):
        blocking.blocking("console/agent/aio/loop.py")


def test_both_worlds_wait_under_the_same_names() -> None:
    from console.agent.aio import waits as aio
    from console.agent.blocking import waits as threads

    ours = {"Lock", "Exclusive", "mine", "interrupted", "sleep", "connection"}
    ours |= {"Termination", "Signal", "Changes", "Workers"}
    for world in (aio, threads):
        assert ours <= set(vars(world))
    for name in ("Signal", "Changes", "Workers"):
        methods = [{m for m in vars(getattr(world, name)) if not m.startswith("_")} for world in (aio, threads)]
        assert methods[0] == methods[1]
