"""`experiment start` and `experiment stop`: units are assigned between the two."""

from __future__ import annotations

from typing import ClassVar

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.experiment.common import EXPECT, NAME, find_experiment, move
from console.commands.gates.keeper import GATED, Rise, asked_again, pass_gates, show
from console.domain.errors import Refused
from console.domain.experiment.record import ExperimentRecord, ExperimentState
from console.domain.gates.gate import Act
from console.domain.operator.command import CommandInfo, Confirm, Preview, Risk
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean


class _Turn(Command):
    after: ClassVar[ExperimentState]
    before: ClassVar[tuple[ExperimentState, ...]]

    async def preview(self, ctx: Context, call: Call) -> Preview:
        record = await self._found(ctx, call)
        preview = Preview(
            title=f"{self.info.title.removesuffix(' an experiment')} experiment {record.name}?",
            changes=(Change(f"experiment {record.name}", record.state.value, self.after.value),),
            warnings=self._warnings(record),
            arguments={**call.args, "expect": str(record.revision)},
        )
        rise = self._rise(record)
        return preview if rise is None else await show(ctx, preview, rise, await ctx.read())

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        return await asked_again(lambda: self._once(ctx, call))

    async def _once(self, ctx: Context, call: Call) -> Receipt:
        record = await self._found(ctx, call)
        order, rise = self.order(call), self._rise(record)
        if rise is not None:
            order = await pass_gates(ctx, call, rise, order, await ctx.read())
        return await move(ctx, order, record, self.after)

    def _rise(self, record: ExperimentRecord) -> Rise | None:
        """What it raises; nothing where it ends one."""
        if self.after is not ExperimentState.RUNNING:
            return None
        name = str(record.name)
        return Rise(self.info.name, Act.EXPERIMENT_START, None, name, f"{name}/{record.revision}")

    async def _found(self, ctx: Context, call: Call) -> ExperimentRecord:
        view, record = await find_experiment(ctx, call)
        if record.state not in self.before:
            raise Refused(f"Experiment {view.name} is {record.state.value.lower()}.", "`experiment show` says more.")
        others = [
            other.name
            for other in await ctx.gateway.experiments.read()
            if other.record is not None
            and other.record.state is ExperimentState.RUNNING
            and other.record.experiment.flag == record.experiment.flag
        ]
        if self.after is ExperimentState.RUNNING and others:
            raise Refused(f"Experiment {others[0]} runs on the same flag.", "Stop it first.")
        return record

    def _warnings(self, record: ExperimentRecord) -> tuple[str, ...]:
        return ()


class ExperimentStart(_Turn):
    """Assign units to the two values from now on."""

    after, before = ExperimentState.RUNNING, (ExperimentState.DEFINED,)
    info = CommandInfo(
        name="experiment start",
        title="Start an experiment",
        summary="Assign units to its two values from now on, evenly, each always to the same one.",
        params=(NAME, EXPECT, *GATED),
        confirm=Confirm.EVIDENCE,
        risk=Risk.RAISES,
    )

    def _warnings(self, record: ExperimentRecord) -> tuple[str, ...]:
        experiment = record.experiment
        return (
            f"A: {experiment.flag} = {clean(experiment.a, 60)}; B: {clean(experiment.b, 60)}",
            f"{record.capital:,f} {record.currency}, half for each; due after {experiment.rounds_each} "
            f"{'clusters' if experiment.cluster else 'rounds'} each",
        )


class ExperimentStop(_Turn):
    """Assign no more units; the evidence stays."""

    after, before = ExperimentState.STOPPED, (ExperimentState.DEFINED, ExperimentState.RUNNING)
    info = CommandInfo(
        name="experiment stop",
        title="Stop an experiment",
        summary="Assign no more units; every round gets what the flag says, and the evidence stays.",
        params=(NAME, EXPECT),
        confirm=Confirm.YES_NO,
        risk=Risk.REDUCES,
    )
