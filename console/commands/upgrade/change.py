"""`upgrade abort`, `upgrade resume`, `upgrade review`: what an operator says to a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.upgrade.seen import gather
from console.commands.upgrade.undo import undo
from console.domain.errors import Conflict, Refused, UsageError
from console.domain.fence.deployment import Phase
from console.domain.operator.command import CommandInfo, Confirm, FactLine, Param, Preview, Risk, Way
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean
from console.domain.upgrade.abort import way_out
from console.domain.upgrade.run import RunState, Step, StepName, UpgradeRun
from console.store.records.upgrades import Stored

_TRIES: Final = 8
EXPECT = Param("run", "The run that is meant: refused where another one is current.", required=False, option=True)


async def live(ctx: Context, call: Call) -> tuple[Stored, UpgradeRun]:
    """The run that goes on.

    Raises:
        Refused: there is none, or another one than is meant.
    """
    stored = await ctx.gateway.upgrades.read()
    run = stored.run
    if run is None or not run.state.live:
        over = f": the last one is {run.state.value}" if run is not None else ""
        raise Refused(f"No upgrade goes on{over}.", "`upgrade start TARGET` begins one.")
    meant = call.args.get("run", "")
    if meant and meant != run.id:
        raise Refused(f"Another upgrade goes on by now: {run.id[:8]}.", "`upgrade show` shows it.")
    return stored, run


def ways(run: UpgradeRun) -> tuple[Way, ...]:
    """What else can be done with a run, from any of its questions."""
    by_hand = Way("f", "switch by hand", "switch", {"slot": run.target.value})
    rest = (Way("e", "evidence", "upgrade show"), Way("a", "abort", "upgrade abort", {"run": run.id}))
    return rest if run.switched_at is not None else (by_hand, *rest)


class UpgradeAbort(Command):
    """End the run in a safe state: the canary taken back, rolled back where the new version acts, else frozen."""

    info = CommandInfo(
        name="upgrade abort",
        title="Abort the upgrade",
        summary="End the upgrade in a safe state, which is named: canary back, roll back, or new risk frozen.",
        params=(EXPECT,),
        confirm=Confirm.YES_NO,
        risk=Risk.REDUCES,
        needs_reason=True,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        _stored, run = await live(ctx, call)
        out = way_out(run, (await gather(ctx, run)).seen)
        return Preview(
            title=f"Abort the upgrade to {run.target.value}?",
            changes=(Change(f"upgrade {run.id[:8]}", run.state.value, out.safe_state),),
            warnings=tuple(step.value for step in out.steps),
            arguments={**call.args, "run": run.id},
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        if not call.reason.strip():
            raise UsageError("An abort takes a reason.", 'Say --reason "…".')
        ctx.gateway.require_writable(self.info.name, reduces=True)
        order = self.order(call)
        _stored, meant = await live(ctx, call)
        for left in reversed(range(_TRIES)):
            try:
                stored, run = await _stopped(ctx, meant, order.why)
                over = await undo(ctx, run, (await gather(ctx, run)).seen, order)
                return await ctx.gateway.upgrades.change(
                    stored, over, order, before=meant.state.value, after=over.safe_state
                )
            except Conflict:  # somebody said a word to it meanwhile: what is so now is looked at again
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")


async def _stopped(ctx: Context, meant: UpgradeRun, why: str) -> tuple[Stored, UpgradeRun]:
    """The run, held before anything is undone: whoever walks it neither switches nor ends it from here on. Whoever
    aborts and dies leaves it held, and the abort may be said again.

    Raises:
        Refused: it is over, or another one goes on by now.
        Conflict: it was changed meanwhile.
    """
    stored, run = await live(ctx, Call({"run": meant.id}))
    if run.state is RunState.HELD:
        return stored, run
    note = str(clean(f"{ctx.gateway.who} aborts it: {why}", 250))
    held = replace(run, state=RunState.HELD, note=note)
    return await ctx.gateway.upgrades.hold_still(stored, held), held


class UpgradeResume(Command):
    """Hand a held run back after a change by hand: it goes on from who acts now."""

    info = CommandInfo(
        name="upgrade resume",
        title="Resume the upgrade",
        summary="Hand the upgrade back after a change by hand; it goes on from who acts now, at `upgrade go`.",
        params=(EXPECT,),
        confirm=Confirm.YES_NO,
        risk=Risk.RAISES,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        _stored, run = await live(ctx, call)
        return Preview(
            title=f"Hand the upgrade to {run.target.value} back?",
            changes=(Change(f"upgrade {run.id[:8]}", run.state.value, RunState.RUNNING.value),),
            warnings=(run.note,) if run.note else (),
            arguments={**call.args, "run": run.id},
            ways=ways(run),
            yes="Hand it back",
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        stored, run = await live(ctx, call)
        authority = (await ctx.read()).deployment.authority
        if authority is None or authority.phase is not Phase.RUN or authority.active is None:
            raise Refused(
                "Nobody acts now: there is nothing to go on from.", "`resume` ends a halt; `upgrade abort` the run."
            )
        if run.switched_at is not None and authority.active is not run.target:
            raise Refused(
                f"{authority.active.value} acts again: this run is over.",
                "`upgrade abort` ends it; then begin another.",
            )
        again = replace(run, state=RunState.RUNNING, note="", epoch=authority.epoch)
        return await ctx.gateway.upgrades.change(
            stored, again, self.order(call), before=run.state.value, after=f"running from epoch {authority.generation}"
        )


class UpgradeReview(Command):
    """Say that the new version's first decisions were looked at."""

    info = CommandInfo(
        name="upgrade review",
        title="Decisions reviewed",
        summary="Say that you have looked at the new version's first decisions; `upgrade show` lists them.",
        key="v",
        params=(EXPECT,),
        asks_on_screen=True,
        short="review",
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        _stored, run = await live(ctx, call)
        step = _to_review(run)
        change = Change("review", None, f"looked at by {ctx.gateway.who}")
        return Preview(
            title=f"The first {len(step.evidence)} decisions of {run.target.value}: have you looked at them?",
            changes=(change,),
            facts=tuple(FactLine(str(clean(one.what, 8)), str(clean(one.value, 160))) for one in step.evidence),
            arguments={**call.args, "run": run.id},
            ways=ways(run),
            yes="I have looked at them",
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        stored, run = await live(ctx, call)
        step = _to_review(run)
        who = ctx.gateway.who
        return await ctx.gateway.upgrades.change(
            stored, run.with_step(replace(step, by=who)), self.order(call), before=None, after=f"looked at by {who}"
        )


def _to_review(run: UpgradeRun) -> Step:
    """The step that waits for somebody who has looked.

    Raises:
        Refused: there is nothing to look at yet, or it is over.
    """
    step = run.of(StepName.REVIEW)
    if run.switched_at is None or step.over or not step.evidence:
        raise Refused("There is nothing to look at yet, or it is over.", "`upgrade show` says where the run is.")
    return step
