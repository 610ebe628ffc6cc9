"""One word to several agents: each by itself with its own receipt, a failure named, the rest only where that reduces
risk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from console.commands.context import Context
from console.commands.fleet.scoped import NAMED, ScopedOperator, scope_text
from console.commands.gateway.gateway import Gateway
from console.domain.errors import Refused, StoreUnreachable, UsageError
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys

if TYPE_CHECKING:
    import redis.asyncio


class Stage:
    """Agents of which blue is active, and an operator on some of them."""

    def __init__(self, client: redis.asyncio.Redis, folder: Path) -> None:
        self.client, self.folder = client, folder
        self.broken: set[str] = set()
        self.opened: list[str] = []

    async def add(self, *names: str) -> None:
        for name in names:
            fence = AsyncFence(self.client, Keys.of(name))
            await fence.switch(SwitchRequest("blue", expected_epoch=0, mode="now", by="op"))

    async def open(self, agent: str) -> Context:
        self.opened.append(agent)
        if agent in self.broken:
            raise StoreUnreachable("The store does not answer.")
        return Context(Gateway(self.client, Keys.of(agent), url="x", registry={}, who="ana"), {}, self.folder)

    def operator(self, *agents: str) -> ScopedOperator:
        return ScopedOperator(agents, self.open)

    async def active(self, agent: str) -> Any:
        return await self.client.get(Keys.of(agent).active)


@pytest.fixture
def stage(valkey: redis.asyncio.Redis, tmp_path: Path) -> Stage:
    return Stage(valkey, tmp_path)


async def test_a_halt_of_several_names_them_and_each_has_its_own_receipt_in_its_own_audit(stage: Stage) -> None:
    await stage.add("a", "b", "c")
    operator = stage.operator("a", "b", "c")
    preview = await operator.preview("halt", {})
    assert preview.title == "Halt: 3 agents: a, b, c?"
    assert [change.what for change in preview.changes] == [f"{name} · active version" for name in "abc"]
    assert preview.typed_name == ""
    receipt = await operator.execute("halt", {}, reason="why not")
    assert receipt.note == "3 of 3 agents"
    assert {await stage.active(name) for name in "abc"} == {b"halted"}
    for name in "abc":
        entries: Any = await stage.client.xrange(Keys.of(name).audit)
        assert any(b"why not" in str(fields).encode() for _id, fields in entries)
    assert len({line for _agent, line, _done in operator.lines}) == 3


async def test_where_risk_is_reduced_a_failure_is_named_and_the_rest_is_carried_on(stage: Stage) -> None:
    await stage.add("a", "b", "c")
    stage.broken = {"b"}
    operator = stage.operator("a", "gone", "b", "c")
    await operator.preview("halt", {})
    receipt = await operator.execute("halt", {})
    assert receipt.note.startswith("2 of 4 agents · failed: b (")
    assert receipt.note.endswith("gone: gone")
    assert [line[0] for line in operator.lines] == ["b", "gone", "a", "c"], "who failed stands first"
    assert [await stage.active(name) for name in "ac"] == [b"halted", b"halted"]
    assert not await stage.client.exists(Keys.of("gone").ctl, Keys.of("gone").active)


async def test_where_it_does_not_the_first_failure_ends_it_and_who_was_not_tried_is_named(stage: Stage) -> None:
    await stage.add("a", "b", "c")
    operator = stage.operator("a", "b", "c")
    args = {"name": "limit", "value": "5", "new": "yes"}
    await operator.preview("flag set", args)
    stage.broken = {"b"}
    receipt = await operator.execute("flag set", args)
    assert "failed: b" in receipt.note
    assert "not tried: c" in receipt.note
    assert [line[0] for line in operator.lines] == ["b", "c", "a"]
    assert await stage.client.get(Keys.of("c").flag("limit")) is None


async def test_what_changed_since_the_question_is_not_gone_over(stage: Stage) -> None:
    await stage.add("a", "b")
    for name in "ab":
        fence = AsyncFence(stage.client, Keys.of(name))
        authority = await fence.authority()
        assert authority is not None
        await fence.switch(SwitchRequest("green", expected_epoch=authority.epoch, mode="now", by="op"))
    operator = stage.operator("a", "b")
    await operator.preview("rollback", {})
    fence = AsyncFence(stage.client, Keys.of("b"))
    authority = await fence.authority()
    assert authority is not None
    await fence.switch(SwitchRequest("blue", expected_epoch=authority.epoch, mode="now", by="eve"))
    await fence.switch(SwitchRequest("green", expected_epoch=(await fence.authority()).epoch, mode="now", by="eve"))  # type: ignore[union-attr]
    receipt = await operator.execute("rollback", {})
    assert "failed: b" in receipt.note
    assert [await stage.active(name) for name in "ab"] == [b"blue", b"green"]


async def test_more_than_can_be_named_takes_a_word_and_what_raises_risk_is_refused_for_so_many(stage: Stage) -> None:
    names = [f"a{number:02d}" for number in range(NAMED + 2)]
    await stage.add(*names)
    operator = stage.operator(*names)
    preview = await operator.preview("halt", {})
    assert preview.typed_name == f"halt {NAMED + 2}"
    assert scope_text(names) == f"{NAMED + 2} agents: a00, a01, a02 … {names[-1]}"
    with pytest.raises(Refused, match="too many"):
        await operator.preview("resume", {"slot": "blue"})
    told: list[int] = []
    operator.told = told.append
    assert (await operator.execute("halt", {})).note == f"{NAMED + 2} of {NAMED + 2} agents"
    assert sorted(told) == list(range(1, NAMED + 3))


async def test_a_question_about_a_halt_does_not_wait_for_a_store_that_is_slow(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.add("a", "b")
    monkeypatch.setattr("console.commands.fleet.scoped.PREVIEW_S", 0.0)
    operator = stage.operator("a", "b")
    assert (await operator.preview("halt", {})).title == "Halt: 2 agents: a, b?"
    assert (await operator.execute("halt", {})).note == "2 of 2 agents"


async def test_what_is_about_one_agent_is_said_to_none(stage: Stage) -> None:
    await stage.add("a")
    with pytest.raises(UsageError, match="about one agent"):
        await stage.operator("a").preview("switch", {"slot": "green"})
    with pytest.raises(Refused, match="possible for none"):
        await stage.operator("nobody").preview("flag set", {"name": "x", "value": "1", "new": "yes"})
