"""`experiment define`: write an A/B test down; nothing is assigned before it is started."""

from __future__ import annotations

from pathlib import Path

from console.commands.base import Call, Command
from console.commands.context import Context
from console.domain.errors import Refused
from console.domain.experiment.record import ExperimentRecord, ExperimentState
from console.domain.experiment.trial import Experiment
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview
from console.domain.operator.receipt import Change, Receipt
from console.domain.state.flags import check_write
from console.domain.text import clean


class ExperimentDefine(Command):
    """Write an A/B test down, frozen; a name is never used twice."""

    info = CommandInfo(
        name="experiment define",
        title="Define an experiment",
        summary="Write an A/B test of two values of a flag down; nothing is assigned before it is started. "
        "The file's format: `agent-console schema experiment`.",
        params=(
            Param("name", "Letters, digits, _ . and -; never used before."),
            Param("file", "The definition, TOML or JSON."),
        ),
        confirm=Confirm.NONE,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        from console.documents.experiment import read_definition

        experiment, _capital, _currency = read_definition(_path(call), call.require("name"))
        return Preview(
            title=f"Define experiment {experiment.name}?",
            changes=(Change(f"experiment {experiment.name}", None, _words(experiment)),),
            arguments=dict(call.args),
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        from console.documents.experiment import read_definition

        experiment, capital, currency = read_definition(_path(call), call.require("name"))
        if any(view.name == experiment.name for view in await ctx.gateway.experiments.read()):
            raise Refused(f"There is an experiment {experiment.name} already.", "A name is never used twice.")
        now = await ctx.gateway.read_flag(experiment.flag)
        for value in (experiment.a, experiment.b):
            check_write(experiment.flag, value, now, ctx.registry, new=now is None)
        by, why = clean(ctx.gateway.who, 128), clean(call.reason)
        new = (ExperimentState.DEFINED, 0, capital, clean(currency, 16), ctx.clock())
        record = ExperimentRecord(experiment, *new, by=by, why=why)
        return await ctx.gateway.experiments.put(record, 0, self.order(call), before=None, after=_words(experiment))


def _path(call: Call) -> Path:
    return Path(call.require("file")).expanduser()


def _words(experiment: Experiment) -> str:
    return f"{experiment.flag}: A {experiment.a}, B {experiment.b}, {experiment.rounds_each} {_unit(experiment)} each"


def _unit(experiment: Experiment) -> str:
    return f"clusters ({clean(experiment.cluster, 80)})" if experiment.cluster else "rounds"
