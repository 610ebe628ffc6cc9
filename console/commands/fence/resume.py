"""`resume`: end a halt by naming who acts, or lift a freeze from who is active, and say why."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.fence.slots import (
    based_on,
    frozen_side,
    move_preview,
    parse_slot,
    present_reading,
    slot_label,
)
from console.commands.fence.switch import EXPECT
from console.commands.gates.keeper import GATED, Rise, asked_again, pass_gates, same_moment, show
from console.commands.gateway.fence import EVERYTHING, Move
from console.domain.errors import Refused, UsageError
from console.domain.fence.deployment import Deployment, Phase, Slot
from console.domain.gates.gate import Act
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview, Risk, Waits
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean


class Resume(Command):
    """End a halt: name the version that acts from now on; or lift a freeze from the active one. Say why."""

    info = CommandInfo(
        name="resume",
        title="Resume",
        summary="End a halt by naming the version that acts, or lift a freeze from the active one; takes a reason.",
        params=(
            Param(
                "slot",
                "blue or green.",
                choices=("blue", "green"),
                question="Nobody is active. Which version shall act?",
                is_slot=True,
                implied=True,
            ),
            EXPECT,
            *GATED,
        ),
        confirm=Confirm.EVIDENCE,
        risk=Risk.RAISES,
        mark="resume",
        needs_reason=True,
        waits=Waits.INSTANCES,
        many=True,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        reading = await present_reading(ctx)
        deployment = reading.deployment
        frozen = frozen_side(deployment)
        if frozen is None:
            _refuse_unless_halted(deployment)
            target = parse_slot(call.require("slot"))
            preview = move_preview(call, deployment, target, f"Resume with {slot_label(target)}?")
            preview = preview._replace(warnings=(*await _accepts(ctx), *preview.warnings))
            return await show(ctx, preview, _rise(target, Act.RESUME), reading)
        _refuse_another_side(call, frozen)
        authority = deployment.authority
        assert authority is not None
        preview = move_preview(
            call, deployment, frozen, f"Lift the freeze? {slot_label(frozen)} may do everything again."
        )
        freezes = [event for event in (await ctx.gateway.sides()).events if event.kind == "level"]
        last = f"{freezes[-1].at:%Y-%m-%d %H:%M:%S}Z by {freezes[-1].by}: {freezes[-1].why}" if freezes else ""
        assert preview.arguments is not None
        preview = preview._replace(
            changes=(Change("allowed", str(authority.level), EVERYTHING),),
            warnings=(*((f"frozen {clean(last, 200)}",) if last else ()), *await _accepts(ctx), *preview.warnings),
            arguments={**preview.arguments, "slot": frozen.value},
        )
        return await show(ctx, preview, _rise(frozen, Act.LIFT), reading)

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        return await asked_again(lambda: self._once(ctx, call))

    async def _once(self, ctx: Context, call: Call) -> Receipt:
        if not call.reason.strip():
            raise UsageError("Resuming takes a reason.", 'Say --reason "…".')
        reading = await present_reading(ctx)
        deployment, order = reading.deployment, self.order(call)
        frozen = frozen_side(deployment)
        if frozen is None:
            _refuse_unless_halted(deployment)
        else:
            _refuse_another_side(call, frozen)
        target = frozen or parse_slot(call.require("slot"))
        expected = based_on(call, deployment)
        if expected >= deployment.epoch:  # an older view is refused by the store
            same_moment(reading, expected)
            rise = _rise(target, Act.LIFT if frozen is not None else Act.RESUME)
            order = await pass_gates(ctx, call, rise, order, reading)
        move = Move(target, deployment, expected, mode="now", resume=True)
        return await ctx.gateway.fences.switch(move, order)


async def _accepts(ctx: Context) -> tuple[str, ...]:
    """Which other manifests than those that versions are held to are accepted by it, if instances run them."""
    from console.store.records.manifests import read_manifests

    try:
        recorded = (await read_manifests(ctx.gateway.client, ctx.gateway.keys)).recorded
    except Refused as error:  # whoever resumes must be able to, whatever that key holds
        return (f"which manifests it accepts can't be told: {error.message}",)
    return tuple(
        f"accepts another manifest of {clean(one.version, 40)}, if it runs still: {clean(one.change(), 300)}"
        for one in recorded.values()
        if one.other is not None
    )


def _rise(target: Slot, act: Act) -> Rise:
    return Rise(Resume.info.name, act, target)


def _refuse_unless_halted(deployment: Deployment) -> None:
    if deployment.authority is None or deployment.authority.phase is not Phase.HALT:
        raise Refused(
            "Neither halted nor frozen; there is nothing to resume.", "`switch blue` or `switch green` moves it."
        )


def _refuse_another_side(call: Call, frozen: Slot) -> None:
    """Lifting a freeze moves nobody."""
    wanted = call.args.get("slot", "")
    if wanted and parse_slot(wanted) is not frozen:
        raise Refused(
            f"{frozen.value} is active and frozen; lifting that moves nobody.",
            f"`resume {frozen.value}` lifts the freeze; `switch {wanted}` moves.",
        )
