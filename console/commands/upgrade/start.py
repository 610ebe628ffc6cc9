"""`upgrade start`: begin a run to the other version."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.fence.slots import parse_slot, present_reading, refuse_if_halted, slot_label
from console.commands.gates.gather import version_that_runs
from console.commands.gates.handover import show_handover
from console.commands.gates.keeper import Rise, show
from console.domain.errors import Conflict, Refused, UsageError
from console.domain.fence.deployment import Phase, Slot
from console.domain.gates.gate import Act, ago
from console.domain.operator.command import CommandInfo, Confirm, FactLine, Param, Preview, Risk, Way
from console.domain.operator.receipt import Change, Receipt
from console.domain.seen.observation import StoreReading
from console.domain.statistics.evidence import digest_of
from console.domain.text import clean
from console.domain.upgrade.run import ORDER, StepName, UpgradePlan, UpgradeRun
from console.store.fence.ids import new_id


class _Wanted(NamedTuple):
    """What is to begin: from where, to where, along which plan, by which reading of the store, by which canary's plan
    (its digest; empty for none)."""

    old: Slot
    target: Slot
    plan: UpgradePlan
    reading: StoreReading
    canary_digest: str

    @property
    def digest(self) -> str:
        """SHA-256 of the plan and of its canary's: what was looked at is what begins."""
        return digest_of([asdict(self.plan), self.canary_digest])


class UpgradeStart(Command):
    """Begin a run: from a snapshot to a day after the switch; whoever says `upgrade go` walks it."""

    info = CommandInfo(
        name="upgrade start",
        title="Start an upgrade",
        summary="Begin one run to the other version: snapshot, gates, switch, watch, keep warm; `upgrade go` walks it.",
        params=(
            Param("target", "The side that shall act: blue or green.", choices=("blue", "green"), is_slot=True),
            Param(
                "plan",
                "What the run asks for, TOML or JSON; `schema upgrade` says what it may hold.",
                False,
                option=True,
            ),
        ),
        confirm=Confirm.EVIDENCE,
        risk=Risk.RAISES,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        wanted = await _wanted(ctx, call)
        plan, epoch = wanted.plan, wanted.reading.deployment.epoch
        skipped = {StepName.CANARY: not plan.canary, StepName.SHADOW: not plan.shadow_rounds}
        preview = Preview(
            title=f"Upgrade from {slot_label(wanted.old)} to {slot_label(wanted.target)}, step by step?",
            changes=(Change("upgrade", None, f"to {wanted.target.value}"),),
            facts=(
                FactLine("steps", " → ".join(name.value for name in ORDER if not skipped.get(name))),
                FactLine("plan", _told(plan, call.args.get("plan", ""))),
            ),
            arguments={**call.args, "expect_epoch": str(epoch), "digest": wanted.digest},
        )
        shown, told = await asyncio.gather(
            show(ctx, preview, Rise("upgrade", Act.SWITCH, wanted.target), wanted.reading),
            show_handover(ctx, preview, wanted.reading, wanted.target),
        )
        by_hand = Way("f", "switch at once", "switch", {"slot": wanted.target.value})
        return shown._replace(  # nothing moves yet: closed gates stop the run itself
            overrides=False,
            typed_name="",
            facts=told.facts,
            ways=(by_hand,),
            yes="Begin",
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        wanted = await _wanted(ctx, call)
        epoch = wanted.reading.deployment.epoch
        if call.epoch() not in (None, epoch):
            raise Conflict("Who acts has changed meanwhile.", "Look again, then decide.")
        if call.args.get("digest", wanted.digest) != wanted.digest:
            raise Conflict(
                f"{clean(Path(call.args.get('plan', '')).name, 80)} was changed meanwhile.", "Look again, then decide."
            )
        run = UpgradeRun(
            id=new_id(),
            agent=ctx.agent,
            old=wanted.old,
            target=wanted.target,
            old_version=await version_that_runs(ctx, wanted.reading, wanted.old),
            version=await version_that_runs(ctx, wanted.reading, wanted.target),
            plan=wanted.plan,
            by=ctx.gateway.who,
            began_at=wanted.reading.server_at,
            epoch=epoch,
            canary_digest=wanted.canary_digest,
        )
        return await ctx.gateway.upgrades.start(run, self.order(call))


async def _wanted(ctx: Context, call: Call) -> _Wanted:
    """What is to begin.

    Raises:
        Refused: nobody acts, or the target does already.
        UsageError: the plan file can't be followed.
    """
    plan, canary_digest = UpgradePlan(), ""
    if call.args.get("plan"):
        from console.documents.upgrade import read_upgrade_file

        plan = read_upgrade_file(Path(call.args["plan"]).expanduser())
    target = parse_slot(call.require("target"))
    if plan.canary:
        from console.documents.canary import read_plan_file

        canary = read_plan_file(Path(plan.canary))
        canary_digest = canary.digest
        if canary.slot != target.value:
            raise UsageError(
                f"The canary's plan is for {canary.slot}, the upgrade leads to {target.value}.",
                f'Say canary = "{target.value}" in it.',
            )
    reading = await present_reading(ctx)
    refuse_if_halted(reading.deployment, "an upgrade")
    authority = reading.deployment.authority
    if authority is None or authority.phase is not Phase.RUN or authority.active is None:
        raise Refused("Nobody acts now: there is nothing to upgrade from.", "`switch blue` or `switch green` starts.")
    if authority.active is target:
        raise Refused(f"{target.value} acts already.", f"`upgrade start {target.other.value}` goes the other way.")
    return _Wanted(authority.active, target, plan, reading, canary_digest)


def _told(plan: UpgradePlan, file: str) -> str:
    """A plan's figures in one line."""
    parts = (
        f"{plan.shadow_rounds} shadow rounds",
        f"{plan.review} decisions to review",
        f"{ago(plan.watch_s)} watched",
        f"{ago(plan.warm_s)} warm",
        f"canary {clean(plan.canary, 80)}" if plan.canary else "no canary",
    )
    return f"{', '.join(parts)}: {clean(file, 80) if file else 'the default; --plan FILE names another'}"
