"""A run among strangers: its plan is edited meanwhile, a clock is an hour off, two walk it, the venue dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.commands.base import Call
from console.commands.context import Context
from console.commands.gates.venue import facts_of
from console.commands.gateway.gateway import Gateway
from console.commands.snapshot.take import take
from console.commands.upgrade.go import UpgradeGo
from console.commands.upgrade.seen import snapshot_reason
from console.commands.upgrade.start import UpgradeStart
from console.commands.upgrade.walk import walk
from console.demo.faulty import FaultyVenue
from console.domain.canary.plan import RunState as CanaryState
from console.domain.errors import Conflict, UsageError
from console.domain.fence.deployment import Slot
from console.domain.gates.facts import VenueFacts
from console.domain.text import Safe
from console.domain.upgrade.run import RunState, StepName, StepState
from console.domain.venue.judge import closed, judge
from console.domain.venue.stored import VenueSeen
from console.store.files import snapshots
from console.store.keys import Keys
from console.store.server.connect import connect
from console.venue.prober import Prober
from tests.commands.upgrade.test_go import CANARY, PLAN, active, begin, ctx, ready, run_of
from tests.venue.stage import configured
from tests.waiting import until_async

__all__ = ["ctx"]

PAYEE = '[escrow]\npayee = "counterparty"\nprovenance = "the terms of 2026"\n'


async def to_the_canary(ctx: Context, folder: Path, edited: str) -> str:
    """A run that comes to its canary, whose plan was edited since it began; what stands in its way, empty for
    nothing."""
    (folder / "canary.toml").write_text(CANARY)
    await begin(ctx, folder, PLAN + 'canary = "canary.toml"\n')
    (folder / "canary.toml").write_text(edited)

    async def stands() -> bool:
        await UpgradeGo().execute(ctx, Call({"act": "canary"}))
        step = (await run_of(ctx)).of(StepName.CANARY)
        return step.state is StepState.BLOCKED or bool((await run_of(ctx)).canary)

    await until_async(stands, "the run to come to its canary")
    return (await run_of(ctx)).of(StepName.CANARY).note if not (await run_of(ctx)).canary else ""


@pytest.mark.parametrize(
    "edit",
    [('share = "0.05"', 'share = "0.95"'), ('capital = "10000"', 'capital = "9000000"'), ('"green"', '"blue"')],
)
async def test_a_canary_s_plan_that_is_edited_after_the_run_began_starts_no_canary(
    ctx: Context, tmp_path: Path, edit: tuple[str, str]
) -> None:
    note = await to_the_canary(ctx, tmp_path, CANARY.replace(*edit))
    assert "canary.toml was changed meanwhile" in note
    assert (await ctx.gateway.canaries.read()).reading is None
    (tmp_path / "canary.toml").write_text(CANARY)  # put back

    async def started() -> bool:
        await UpgradeGo().execute(ctx, Call({"act": "canary"}))
        return bool((await run_of(ctx)).canary)

    await until_async(started, "the canary to start by the plan that the run began with")
    reading = (await ctx.gateway.canaries.read()).reading
    assert reading is not None and reading.run.state is CanaryState.RUNNING and reading.run.slot == "green"


async def test_a_comment_in_a_canary_s_plan_changes_nothing(ctx: Context, tmp_path: Path) -> None:
    assert await to_the_canary(ctx, tmp_path, f"# looked at twice\n{CANARY}") == ""


async def test_a_plan_that_is_edited_between_the_question_and_the_yes_begins_no_run(
    ctx: Context, tmp_path: Path
) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(PLAN)
    asked = await UpgradeStart().preview(ctx, Call({"target": "green", "plan": str(file)}))
    file.write_text(PLAN.replace("watch_s = 60", "watch_s = 0"))
    with pytest.raises(Conflict, match="was changed meanwhile"):
        await UpgradeStart().execute(ctx, Call(dict(asked.arguments)))
    assert (await ctx.gateway.upgrades.read()).run is None


async def test_a_run_goes_by_the_plan_that_it_began_with(ctx: Context, tmp_path: Path) -> None:
    await begin(ctx, tmp_path)
    (tmp_path / "plan.toml").write_text("not a plan [")
    await ready(ctx)
    assert (await run_of(ctx)).plan.watch_s == 60


async def test_a_canary_s_plan_for_the_side_that_acts_begins_no_run(ctx: Context, tmp_path: Path) -> None:
    (tmp_path / "canary.toml").write_text(CANARY.replace('"green"', '"blue"'))
    with pytest.raises(UsageError, match="is for blue, the upgrade leads to green"):
        await begin(ctx, tmp_path, PLAN + 'canary = "canary.toml"\n')


@pytest.mark.parametrize("name", ["shadow_rounds", "review", "watch_s", "warm_s", "snapshot_max_age_s"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400", '"soon"', "-1", "true"])
async def test_a_figure_of_a_plan_that_is_none_begins_no_run(
    ctx_of_nobody: Context, tmp_path: Path, name: str, value: str
) -> None:
    lines = dict(line.split(" = ") for line in PLAN.splitlines()) | {name: value}
    with pytest.raises(UsageError):
        await begin(ctx_of_nobody, tmp_path, "".join(f"{key} = {text}\n" for key, text in lines.items()))


@pytest.fixture
async def ctx_of_nobody(store_url: str, tmp_path: Path) -> AsyncIterator[Context]:
    """A console on a store without agents."""
    gateway = Gateway(await connect(store_url, name="agent-console"), Keys.of(), url=store_url, registry={}, who="ada")
    yield Context(gateway, {}, tmp_path / "snapshots")
    await gateway.aclose()


@pytest.mark.parametrize("hours", [-1, 1])
async def test_an_operator_whose_clock_is_an_hour_off_walks_a_run_by_the_store_s(
    ctx: Context, tmp_path: Path, hours: int
) -> None:
    off = replace(ctx, clock=lambda: ctx.clock() + timedelta(hours=hours))
    await begin(off, tmp_path)
    await ready(off)
    await UpgradeGo().execute(off, Call({"act": "switch"}))
    await until_async(lambda: _acts(ctx, Slot.GREEN), "green to be active")
    run, now = await run_of(ctx), (await ctx.read()).server_at
    assert run.switched_at is not None
    moments = [run.began_at, run.switched_at, *(step.ended_at for step in run.steps if step.ended_at)]
    assert all(abs((now - at).total_seconds()) < 600 for at in moments), "its times are the store's"
    assert run.state is RunState.RUNNING and not run.of(StepName.WATCH).over, "an hour has not passed for the run"


async def _acts(ctx: Context, slot: Slot) -> bool:
    return await active(ctx) is slot


async def test_of_two_operators_who_walk_one_run_at_once_it_is_switched_once_and_both_see_its_end(
    ctx: Context, store_url: str, tmp_path: Path
) -> None:
    await begin(ctx, tmp_path)
    other = Gateway(await connect(store_url, name="agent-console"), Keys.of(), url=store_url, registry={}, who="bea")
    try:
        second = Context(other, {}, tmp_path / "others")

        async def go(one: Context) -> None:
            async for _turned in walk(one, every_s=0.05, patience=200):
                if (await run_of(one)).switched_at is not None:
                    return

        await asyncio.wait_for(asyncio.gather(go(ctx), go(second)), 120)
        assert await active(ctx) is Slot.GREEN
        run = await run_of(ctx)
        log = await ctx.gateway.client.xrange(Keys.of().log)
        assert sum(fields.get(b"sid") == run.id.encode() for _id, fields in log) == 1
    finally:
        await other.aclose()


async def test_a_run_is_not_content_with_yesterday_s_snapshot_of_its_own(ctx: Context, tmp_path: Path) -> None:
    await begin(ctx, tmp_path)
    now = ctx.clock()
    reason = snapshot_reason(await run_of(ctx))
    old = [
        snapshots.save(replace(await take(ctx, reason), taken_at=now - timedelta(seconds=age_s)), ctx.snapshots)[0]
        for age_s in (86_400, 301)
    ]
    await ready(ctx)
    told = (await run_of(ctx)).of(StepName.SNAPSHOT).evidence[0].value
    assert not any(told.startswith(one) for one in old) and len(list(ctx.snapshots.glob("*.json"))) == 3


@pytest.mark.parametrize("after", [0, 1])
async def test_a_venue_that_dies_before_the_switch_or_in_its_very_moment_leaves_who_acts(
    ctx: Context, tmp_path: Path, after: int
) -> None:
    with ExitStack() as alive:
        venue = alive.enter_context(FaultyVenue())
        prober = Prober(configured(tmp_path, venue, "rest", PAYEE), "agent")
        looks: list[int] = []

        async def asked() -> VenueFacts:
            if doomed and len(looks) - doomed[0] >= after:
                alive.close()
            looks.append(len(looks))
            look = await prober.look(ctx.clock(), ())
            now = ctx.clock()
            items = judge(look, None, prober.venue.rules, now)
            return facts_of(VenueSeen(look.venue, now, Safe("test"), 10.0, len(closed(items)), items), now)

        doomed: list[int] = []
        beside = replace(ctx, sources=replace(ctx.sources, venue=asked))
        try:
            await begin(beside, tmp_path)
            await ready(beside)
            doomed.append(len(looks))
            await UpgradeGo().execute(beside, Call({"act": "switch"}))
            step = (await run_of(ctx)).of(StepName.SWITCH)
            assert step.state is StepState.BLOCKED and len(looks) > doomed[0] + after, step
            assert await active(ctx) is Slot.BLUE and (await run_of(ctx)).switched_at is None
        finally:
            await prober.aclose()
