"""A run's next step from the console: what raises risk is done only where that was the question, and by nobody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.agent import AgentController, Settings
from console.commands.base import Call
from console.commands.context import Context
from console.commands.fence.switch import Switch
from console.commands.gateway.gateway import Gateway
from console.commands.operator import LiveOperator
from console.commands.snapshot.take import take
from console.commands.upgrade import walk as walking
from console.commands.upgrade.change import UpgradeAbort, UpgradeResume, UpgradeReview
from console.commands.upgrade.go import UpgradeGo
from console.commands.upgrade.seen import gather, snapshot_reason
from console.commands.upgrade.start import UpgradeStart
from console.commands.upgrade.walk import turn, walk
from console.domain.canary.plan import RunState as CanaryState
from console.domain.errors import Conflict, Refused
from console.domain.fence.deployment import Slot
from console.domain.operator.receipt import Receipt
from console.domain.state.noted import NotedSnapshot
from console.domain.text import Safe, clean
from console.domain.upgrade.advance import Kind
from console.domain.upgrade.run import RunState, StepName, StepState, UpgradeRun
from console.store.fence.hosts import plain_host_name
from console.store.files import snapshots
from console.store.keys import Keys
from console.store.records.snapshots import note_snapshot
from console.store.records.upgrades import Stored
from console.store.server.connect import connect
from tests.waiting import until_async

CANARY = """
canary = "green"
capital = "10000"
currency = "USD"
[settings]
margin = 0.05
sigma = 1.0
lowest = -1.0
highest = 9.0
[[steps]]
share = "0"
[[steps]]
share = "0.05"
loss_budget = "60"
[[steps]]
share = "1"
loss_budget = "100"
"""
PLAN = "shadow_rounds = 0\nreview = 0\nwatch_s = 60\nwarm_s = 60\n"


@pytest.fixture
async def ctx(store_url: str, tmp_path: Path) -> AsyncIterator[Context]:
    """A console's surroundings, beside two living agents of which blue acts."""
    agents = [
        AgentController(store_url, slot=slot, version="2.5.0", settings=Settings(money=False))
        for slot in ("blue", "green")
    ]
    for one in agents:
        await asyncio.to_thread(one.start)
    gateway = Gateway(await connect(store_url, name="agent-console"), Keys.of(), url=store_url, registry={}, who="ada")
    ctx = Context(gateway, {}, tmp_path / "snapshots")
    await Switch().execute(ctx, Call({"slot": "blue"}))
    await until_async(lambda: agents[0].active, "blue to be active")
    yield ctx
    for one in agents:
        await asyncio.to_thread(one.stop)
    await gateway.aclose()


async def begin(ctx: Context, tmp_path: Path, plan: str = PLAN) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(plan)
    await UpgradeStart().execute(ctx, Call({"target": "green", "plan": str(file)}))


async def run_of(ctx: Context) -> UpgradeRun:
    run = (await ctx.gateway.upgrades.read()).run
    assert run is not None
    return run


async def active(ctx: Context) -> Slot | None:
    authority = (await ctx.read()).deployment.authority
    return authority.active if authority is not None else None


async def ready(ctx: Context) -> None:
    """Go on until the switch is next: what is seen of the agents may take a moment."""

    async def at_the_switch() -> bool:
        await UpgradeGo().execute(ctx, Call({}))
        run = await run_of(ctx)
        return run.of(StepName.CANARY).over and run.of(StepName.SWITCH).state is StepState.RUNNING

    await until_async(at_the_switch, "the run to stand at its switch")


async def test_the_switch_is_a_question_of_its_own_and_y_to_another_one_never_switches(
    ctx: Context, tmp_path: Path
) -> None:
    await begin(ctx, tmp_path)
    asked = await UpgradeGo().preview(ctx, Call({}))
    assert "up to the switch?" in asked.title and "act" not in (asked.arguments or {})
    await UpgradeGo().execute(ctx, Call(asked.arguments or {}))
    await ready(ctx)
    assert await active(ctx) is Slot.BLUE

    asked = await UpgradeGo().preview(ctx, Call({}))
    assert asked.title == "Upgrade ■ blue → □ green, step 8 of 11, switch: switch now?"
    assert (asked.changes[0].before, asked.changes[0].after, asked.yes) == ("blue", "green", "Switch")
    assert {fact.name for fact in asked.facts} == {"step", "acting now", "commitments", "state"}
    assert {gate.name for gate in asked.gates} >= {"heartbeats", "doubts", "disputes"}
    assert any("stays done" in line for line in asked.irreversible)
    assert [way.command for way in asked.ways] == ["switch", "upgrade show", "upgrade abort"]
    receipt = await UpgradeGo().execute(ctx, Call(asked.arguments or {}))
    assert await active(ctx) is Slot.GREEN
    assert receipt.changes[0].before == "switch running"
    assert (await run_of(ctx)).of(StepName.SWITCH).state is StepState.DONE


async def test_a_question_about_one_run_is_no_answer_to_another(ctx: Context, tmp_path: Path) -> None:
    await begin(ctx, tmp_path)
    with pytest.raises(Refused, match="Another upgrade goes on"):
        await UpgradeGo().execute(ctx, Call({"run": "another", "act": "switch"}))
    assert await active(ctx) is Slot.BLUE


async def test_a_console_that_walks_a_run_waits_at_the_switch_for_somebody_s_word(ctx: Context, tmp_path: Path) -> None:
    async def opened() -> Context:
        return ctx

    async def kept(_ctx: Context) -> None:
        """The test's own."""

    await begin(ctx, tmp_path)
    operator = LiveOperator(opened, kept)
    await operator.execute("upgrade go", {})

    async def waits() -> bool:
        step = (await run_of(ctx)).step
        return step is not None and step.name is StepName.SWITCH and "waits for somebody's yes" in step.note

    await until_async(waits, "the walker to stand at the switch")
    assert await active(ctx) is Slot.BLUE
    # Beside that walker, which holds the lease, anybody says the word.
    other = replace(ctx, gateway=ctx.gateway)
    asked = await UpgradeGo().preview(other, Call({}))
    await UpgradeGo().execute(other, Call(asked.arguments or {}))
    assert await active(ctx) is Slot.GREEN

    async def walked() -> bool:
        step = (await run_of(ctx)).step
        return step is not None and step.name is StepName.WATCH

    await until_async(walked, "the walker to go on after the switch")
    await operator.aclose()
    lease = await ctx.gateway.upgrades.hold("somebody else")
    assert lease.held, "a console that is left gives the lease back"


async def test_a_walk_that_is_ended_ends_although_the_client_library_swallows_it(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "LEASE_MS", 0)  # it is always at a command
    for number in range(80):
        renewing = asyncio.ensure_future(walking._renew(ctx, "ada 1234"))
        await asyncio.sleep(number % 8 / 4_000)
        renewing.cancel()
        await asyncio.wait([renewing], timeout=10.0)
        assert renewing.done(), f"the {number + 1}. went on renewing the lease of a walk that was over"


async def test_what_is_due_again_each_time_it_was_done_is_given_up(ctx: Context, tmp_path: Path) -> None:
    await begin(ctx, tmp_path, PLAN + "snapshot_max_age_s = 0\n")
    turns = [turned.next.kind async for turned in walk(ctx, every_s=0.01, patience=3)]
    assert turns == [Kind.DO] * 4
    await UpgradeGo().execute(ctx, Call({}))  # the same by a person's word
    assert len(list(ctx.snapshots.glob("*.json"))) == 6, "no disk is filled with snapshots that are never fresh enough"


async def test_the_snapshot_of_a_run_is_found_whatever_else_lies_in_the_folder(ctx: Context, tmp_path: Path) -> None:
    await begin(ctx, tmp_path)
    run = await run_of(ctx)
    taken = await take(ctx, snapshot_reason(run))
    own, _path = snapshots.save(taken, ctx.snapshots)
    for number in range(60):
        later = taken.taken_at + timedelta(days=1, seconds=number)
        snapshots.save(replace(taken, taken_at=later), ctx.snapshots)  # of a host whose clock was ahead
        (ctx.snapshots / f"z{number}.json").write_text("{")
        snapshots.save(replace(taken, taken_at=taken.taken_at - timedelta(seconds=1 + number)), ctx.snapshots)
    seen = (await gather(ctx, run)).seen
    assert seen.snapshot is not None and seen.snapshot[0] == own


async def test_the_snapshot_of_a_run_that_lies_on_another_host_is_found_and_is_as_old_as_the_older_word(
    ctx: Context, tmp_path: Path
) -> None:
    await begin(ctx, tmp_path)
    run, client, keys = await run_of(ctx), ctx.gateway.client, ctx.gateway.keys
    now, id_ = ctx.clock(), "20260101T000000Z-01234567"
    note = NotedSnapshot(id_, f"{1234567:08d}" + "a" * 56, now, now - timedelta(seconds=40), Safe("far"), Safe("bea"))

    async def seen(told: NotedSnapshot) -> tuple[str, float] | None:
        await note_snapshot(client, keys, told)
        return (await gather(ctx, run)).seen.snapshot

    why = Safe(snapshot_reason(run))
    assert await seen(note) is None, "it is not the run's"
    assert await seen(note._replace(why=why, host=Safe(clean(plain_host_name(), 120)))) is None, "here is no such file"
    assert await seen(note._replace(why=why, taken_at=now + timedelta(hours=1))) is None, "of the future"
    known = await seen(note._replace(why=why))
    assert known is not None and known[0] == id_ and 40 <= known[1] < 100
    known = await seen(note._replace(why=why, taken_at=now - timedelta(seconds=500)))
    assert known is not None and known[1] >= 500
    await client.delete(keys.snapshots)
    await client.set(keys.snapshots, "of another type")
    own, _path = snapshots.save(await take(ctx, snapshot_reason(run)), ctx.snapshots)
    assert (await gather(ctx, run)).seen.snapshot[0] == own  # type: ignore[index]


async def test_whoever_walks_a_run_never_switches_it_once_somebody_has_aborted_it(ctx: Context, tmp_path: Path) -> None:
    await begin(ctx, tmp_path)
    await ready(ctx)
    stored = await ctx.gateway.upgrades.read()  # as a walker read it, right before it is held up
    await UpgradeAbort().execute(ctx, Call({}, "not today"))
    with pytest.raises(Conflict):
        await turn(ctx, stored)
    run = await run_of(ctx)
    assert (run.state, run.safe_state) == (RunState.ABORTED, "BLUE acts, with all the capital")
    assert await active(ctx) is Slot.BLUE


async def test_of_those_who_abort_and_hand_back_at_once_the_abort_has_the_last_word(
    ctx: Context, tmp_path: Path
) -> None:
    await begin(ctx, tmp_path)
    await ready(ctx)
    abort, resume = UpgradeAbort(), UpgradeResume()
    words = [
        abort.execute(ctx, Call({}, "odd")),
        resume.execute(ctx, Call({})),
        abort.execute(ctx, Call({}, "odd too")),
    ]
    told = await asyncio.gather(*words, return_exceptions=True)
    assert all(isinstance(one, Receipt | Refused | Conflict) for one in told), told
    assert any(isinstance(one, Receipt) for one in (told[0], told[2]))
    run = await run_of(ctx)
    assert (run.state, run.safe_state) == (RunState.ABORTED, "BLUE acts, with all the capital")
    assert await active(ctx) is Slot.BLUE


async def at_the_canary(ctx: Context, tmp_path: Path) -> Stored:
    """A run that is about to start its canary."""
    canary = tmp_path / "canary.toml"
    canary.write_text(CANARY)
    await begin(ctx, tmp_path, f'{PLAN}canary = "{canary}"\n')

    async def stands() -> bool:
        await UpgradeGo().execute(ctx, Call({}))
        step = (await run_of(ctx)).step
        return step is not None and step.name is StepName.CANARY and step.state is StepState.RUNNING

    await until_async(stands, "the run to stand at its canary")
    return await ctx.gateway.upgrades.read()


async def test_no_canary_starts_once_its_run_was_aborted(ctx: Context, tmp_path: Path) -> None:
    stored = await at_the_canary(ctx, tmp_path)
    await UpgradeAbort().execute(ctx, Call({}, "not today"))
    with pytest.raises(Conflict):
        await turn(ctx, stored)
    assert (await ctx.gateway.canaries.read()).reading is None
    assert (await run_of(ctx)).state is RunState.ABORTED


async def test_a_canary_that_starts_in_the_moment_of_an_abort_is_taken_back(
    ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, step = await at_the_canary(ctx, tmp_path), ctx.gateway.upgrades.step

    async def later(*args: Any) -> Stored:
        await UpgradeAbort().execute(ctx, Call({}, "not today"))
        return await step(*args)

    monkeypatch.setattr(ctx.gateway.upgrades, "step", later)
    with pytest.raises(Conflict):
        await turn(ctx, stored)
    reading = (await ctx.gateway.canaries.read()).reading
    assert reading is not None and reading.run.state is CanaryState.ABORTED
    assert (await run_of(ctx)).state is RunState.ABORTED


async def test_a_run_whose_abort_died_after_its_first_word_is_held_and_the_abort_is_said_again(
    ctx: Context, tmp_path: Path
) -> None:
    await begin(ctx, tmp_path)
    await ready(ctx)
    stored = await ctx.gateway.upgrades.read()
    assert stored.run is not None
    await ctx.gateway.upgrades.hold_still(stored, replace(stored.run, state=RunState.HELD, note="ann aborts it"))
    with pytest.raises(Conflict):
        await turn(ctx, stored)  # whoever walked it meanwhile neither goes on nor ends it
    assert (await run_of(ctx)).state is RunState.HELD
    await UpgradeResume().execute(ctx, Call({}))
    assert (await run_of(ctx)).state is RunState.RUNNING, "whoever thinks better of it hands it back"
    await UpgradeAbort().execute(ctx, Call({}, "it is odd"))
    assert (await run_of(ctx)).state is RunState.ABORTED


async def test_there_is_nothing_to_review_before_the_switch(ctx: Context, tmp_path: Path) -> None:
    await begin(ctx, tmp_path)
    for work in (UpgradeReview().preview, UpgradeReview().execute):
        with pytest.raises(Refused, match="nothing to look at yet"):
            await work(ctx, Call({}))


async def test_the_plain_switch_shows_what_goes_over_and_offers_the_run(ctx: Context) -> None:
    asked = await Switch().preview(ctx, Call({}))
    facts = {fact.name: fact.text for fact in asked.facts}
    assert facts["acting now"].startswith("blue since ") and "by ada" in facts["acting now"]
    assert (facts["commitments"], facts["state"]) == ("none is recorded in the store", "blue keeps none in the store")
    assert [(way.key, way.command, way.args["target"]) for way in asked.ways] == [("w", "upgrade start", "green")]
    begun = await UpgradeStart().preview(ctx, Call({"target": "green"}))
    assert [way.command for way in begun.ways] == ["switch"]
    assert {fact.name for fact in begun.facts} >= {"steps", "acting now", "commitments", "state"}


async def test_a_switch_by_hand_says_that_it_holds_the_run_and_offers_the_run(ctx: Context, tmp_path: Path) -> None:
    await begin(ctx, tmp_path)
    asked = await Switch().preview(ctx, Call({"slot": "green"}))
    assert asked.warnings[0].startswith("an upgrade to green goes on: a switch by hand holds it")
    assert [way.command for way in asked.ways] == ["upgrade go"]


async def test_what_a_plain_agent_s_state_file_lists_is_shown_with_its_age(ctx: Context, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    plain = replace(ctx, state_file=file)

    async def told() -> str:
        return {fact.name: fact.text for fact in (await Switch().preview(plain, Call({}))).facts}["state file"]

    assert (await told()).startswith("missing: there is no state.json")
    due = int(time.time()) + 1_195
    file.write_text(
        f'{{"timestamp": {time.time() - 3}, "escrows": [{{"id": "esc_1", "due": {due}}}], "open_rounds": []}}'
    )
    text = await told()
    assert ", 1 escrow," in text and "esc_1 is due in 20 min" in text and text.startswith("written ")
    file.write_text("{")
    assert (await told()).startswith("error: state.json is not JSON")
