"""Roll back, abort, freeze and halt from every state of a run: each ends in an outcome that has a name.

In short here; `make long` tries all of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from console.commands.base import Call
from console.commands.context import Context
from console.commands.fence.halt import Halt
from console.commands.fence.rollback import Rollback
from console.commands.gateway import fence as fence_gate
from console.commands.gateway.door import Order
from console.commands.gateway.gateway import Gateway
from console.commands.upgrade.change import UpgradeAbort
from console.commands.upgrade.seen import gather
from console.commands.upgrade.undo import undo
from console.commands.upgrade.walk import turn
from console.domain.canary.plan import RunState as CanaryState
from console.domain.errors import Conflict, Refused
from console.domain.operator.receipt import Receipt
from console.domain.upgrade.run import RunState
from console.store.fence.aio import AsyncFence
from console.store.keys import Keys
from console.store.server.connect import connect
from tests.commands.upgrade.ways import AFTER, BEFORE, STATES, Scene

if TYPE_CHECKING:
    from redis.asyncio import Redis

VERBS: Final[dict[str, Callable[[Context], Awaitable[Receipt]]]] = {
    "rollback": lambda ctx: Rollback().execute(ctx, Call({}, "odd")),
    "abort": lambda ctx: UpgradeAbort().execute(ctx, Call({}, "odd")),
    "freeze": lambda ctx: Halt().execute(ctx, Call({"level": "no-new-entries"}, "odd")),
    "halt": lambda ctx: Halt().execute(ctx, Call({}, "odd")),
}


class Outcome(NamedTuple):
    """Where a verb ends.

    Args:
        acts: who acts then, and what is stopped.
        run: how the run stands after its next turn.
        safe: the safe state that the run names; empty for none.
        refused: what the refusal says; empty where it was carried out.
    """

    acts: str
    run: RunState
    safe: str = ""
    refused: str = ""


BLUE, GREEN, HALTED = "blue", "green", "all halted"
RUNNING, HELD, ABORTED, DONE = RunState.RUNNING, RunState.HELD, RunState.ABORTED, RunState.DONE
CAPITAL, BACK, STOPPED = "BLUE acts, with all the capital", "BLUE acts, rolled back", "all is halted"
NEVER, OVER, LATCHED = "No side was active before blue", "No upgrade goes on", "Halted"
EARLY = (*(name.value for name in BEFORE), "target dead before the switch")
LATE = (*(name.value for name in AFTER), "walked by another operator", "target dead after the switch")

ABORT: Final = {
    **dict.fromkeys((*EARLY, "canary", "held before the switch"), Outcome(BLUE, ABORTED, CAPITAL)),
    **dict.fromkeys((*LATE, "switched, not written down"), Outcome(BLUE, ABORTED, BACK)),
    "draining": Outcome(BLUE, ABORTED, BACK),
    "draining back by hand": Outcome(BLUE, ABORTED, BACK),
    "done": Outcome(GREEN, DONE, refused=OVER),
    "aborted": Outcome(BLUE, ABORTED, refused=OVER),
    "held, switched by hand": Outcome(BLUE, ABORTED, BACK),
    "held, switched back by hand": Outcome(BLUE, ABORTED, CAPITAL),
    "frozen by hand": Outcome("blue, no new entries", ABORTED, f"{BACK}, new risk is frozen"),
    **dict.fromkeys(
        (
            "halted by hand",
            "halted before the switch",
            "old side dead after the switch",
            "both dead after the switch",
            "authority missing before the switch",
            "authority missing after the switch",
        ),
        Outcome(HALTED, ABORTED, STOPPED),
    ),
}
"""State → where an abort ends: always in a safe state, which the run names."""

ROLLBACK: Final = {
    **dict.fromkeys(EARLY, Outcome(BLUE, RUNNING, refused=NEVER)),
    "switch": Outcome(GREEN, RUNNING, refused=NEVER),  # there is nothing to go back from yet, and the run goes on
    **dict.fromkeys((*LATE, "switched, not written down", "draining"), Outcome(BLUE, HELD)),
    "canary": Outcome(BLUE, ABORTED, CAPITAL),
    "held before the switch": Outcome(BLUE, HELD, refused=NEVER),
    "draining back by hand": Outcome(GREEN, HELD),  # what is taken back is the move that goes on
    "done": Outcome(BLUE, DONE),
    "aborted": Outcome(BLUE, ABORTED, refused=NEVER),
    "held, switched by hand": Outcome(BLUE, HELD),
    "held, switched back by hand": Outcome(GREEN, HELD),  # and so is the newest one of a person's
    "frozen by hand": Outcome("blue, no new entries", HELD),
    "old side dead after the switch": Outcome(HALTED, HELD),
    "both dead after the switch": Outcome(HALTED, HELD),
    **dict.fromkeys(
        (
            "halted by hand",
            "halted before the switch",
            "authority missing before the switch",
            "authority missing after the switch",
        ),
        Outcome(HALTED, HELD, refused=LATCHED),
    ),
}
"""State → where a roll back ends: to what was there before the newest move; the run waits for a person then."""

LOST = ("authority missing before the switch", "authority missing after the switch")
STANDS = {
    **dict.fromkeys((*EARLY, "canary", "held before the switch", "aborted", "held, switched back by hand"), BLUE),
    **dict.fromkeys((*LATE, "switched, not written down", "done", "held, switched by hand", "frozen by hand"), GREEN),
    **dict.fromkeys(("old side dead after the switch", "both dead after the switch"), GREEN),
    **dict.fromkeys(("draining", "draining back by hand"), "nobody"),
    **dict.fromkeys((*LOST, "halted by hand", "halted before the switch"), HALTED),
}
"""State → who acts in it."""


def frozen(state: str) -> Outcome:
    """Who acts goes on acting, and enters nothing new; where nobody can be told to, the next look halts."""
    run = {"done": DONE, "aborted": ABORTED}.get(state, HELD)
    if state in LOST:
        return Outcome(HALTED, run, refused="No authority is there")
    acts = STANDS[state]
    return Outcome(acts if acts == HALTED else f"{acts}, no new entries", run)


def expected(state: str, verb: str) -> Outcome:
    """What the table says."""
    if verb == "halt":
        return Outcome(HALTED, {"done": DONE, "aborted": ABORTED}.get(state, HELD))
    return frozen(state) if verb == "freeze" else {"abort": ABORT, "rollback": ROLLBACK}[verb][state]


@pytest.fixture
async def scene(store_url: str, valkey: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """A console on an empty store, which waits for nobody's acknowledgement: nobody is there to give one."""
    monkeypatch.setattr(fence_gate, "ACK_WAIT_S", 0.0)
    gateway = Gateway(
        await connect(store_url, name="agent-console", timeout_s=30.0), Keys.of(), url=store_url, registry={}, who="ada"
    )
    yield Scene(Context(gateway, {}, tmp_path / "snapshots"), AsyncFence(valkey, Keys.of()), tmp_path)
    await gateway.aclose()


async def acts(scene: Scene) -> str:
    """Who acts, and what is stopped."""
    authority = await scene.fence.authority()
    assert authority is not None, "nobody's authority is in the store"
    if authority.phase.value == "HALT":
        return HALTED
    who = authority.active.value if authority.active is not None else "nobody"
    return who if authority.level.value == "none" else f"{who}, {authority.level.value}"


SHORT: Final = {
    ("draining", "abort"),
    ("draining back by hand", "abort"),
    ("canary", "abort"),
    ("frozen by hand", "abort"),
    ("old side dead after the switch", "abort"),
    ("authority missing before the switch", "abort"),
    ("authority missing after the switch", "rollback"),
    ("switched, not written down", "rollback"),
    ("draining", "halt"),
    ("walked by another operator", "freeze"),
}


def test_the_table_says_of_every_state_what_each_verb_does() -> None:
    assert set(ABORT) == set(ROLLBACK) == set(STANDS) == set(STATES)
    assert all(state in STATES and verb in VERBS for state, verb in SHORT)


@pytest.mark.parametrize(
    ("state", "verb"),
    [
        pytest.param(state, verb, marks=() if (state, verb) in SHORT else pytest.mark.long)
        for state in STATES
        for verb in VERBS
    ],
)
async def test_from_every_state_of_a_run_each_verb_ends_in_the_outcome_that_is_named(
    scene: Scene, state: str, verb: str
) -> None:
    await STATES[state](scene)
    wanted = expected(state, verb)
    if wanted.refused:
        with pytest.raises(Refused, match=wanted.refused):
            await VERBS[verb](scene.ctx)
    else:
        await VERBS[verb](scene.ctx)
    stored = await scene.ctx.gateway.upgrades.read()
    if stored.run is not None and stored.run.state.live:
        await turn(scene.ctx, stored)
    run = await scene.run()
    assert (await acts(scene), run.state, run.safe_state) == (wanted.acts, wanted.run, wanted.safe)
    canary = (await scene.ctx.gateway.canaries.read()).reading
    if canary is not None and verb in ("abort", "rollback"):
        assert canary.run.state is CanaryState.ABORTED


async def test_an_abort_that_finds_the_side_moved_in_its_moment_freezes_nothing_and_looks_again(scene: Scene) -> None:
    await STATES["watch"](scene)
    run = await scene.run()
    seen = (await gather(scene.ctx, run)).seen
    await scene.by_hand("blue")
    with pytest.raises(Conflict):
        await undo(scene.ctx, run, seen, Order("upgrade abort", "odd", reduces=True))
    assert await acts(scene) == BLUE
    await VERBS["abort"](scene.ctx)
    assert (await scene.run()).safe_state == CAPITAL
