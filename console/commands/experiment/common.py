"""What the commands on experiments share: finding one, and moving it on."""

from __future__ import annotations

from console.commands.base import Call
from console.commands.context import Context
from console.commands.gateway.door import Order
from console.domain.errors import Conflict, Refused
from console.domain.experiment.record import ExperimentRecord, ExperimentState, ExperimentView
from console.domain.operator.command import Param
from console.domain.operator.receipt import Receipt
from console.domain.text import clean

NAME = Param("name", "The experiment's name.", suggests="experiment")
EXPECT = Param("expect", "The revision that the decision was based on.", required=False, option=True)


async def find_experiment(ctx: Context, call: Call) -> tuple[ExperimentView, ExperimentRecord]:
    """An experiment by its name, as it is now.

    Raises:
        Refused: there is none, or it can't be read.
        Conflict: it was changed since the caller looked.
    """
    name = call.require("name")
    for view in await ctx.gateway.experiments.read():
        if view.name == name:
            if view.record is None:
                raise Refused(f"Experiment {view.name} can't be read: {view.problem}")
            expected = call.args.get("expect", "")
            if expected and expected != str(view.record.revision):
                raise Conflict(f"Experiment {view.name} was changed meanwhile.", "Look again, then decide.")
            return view, view.record
    raise Refused(f"There is no experiment {clean(name, 64)!r}.", "`experiment show` lists all.")


async def move(
    ctx: Context, order: Order, record: ExperimentRecord, state: ExperimentState, winner: str = ""
) -> Receipt:
    """Write an experiment's next state down, if nobody changed it meanwhile."""
    after = record._replace(
        state=state, winner=winner, changed_at=ctx.clock(), by=clean(ctx.gateway.who, 128), why=clean(order.why)
    )
    told = f"{state.value}{': ' + winner if winner else ''}"
    return await ctx.gateway.experiments.put(after, record.revision, order, before=record.state.value, after=told)
