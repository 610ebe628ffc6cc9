"""`experiment adopt`: the winner becomes the flag's value, the loser is retired."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.experiment.common import EXPECT, NAME, find_experiment, move
from console.domain.errors import Refused, UsageError
from console.domain.experiment.record import ExperimentRecord, ExperimentReport, ExperimentState, ExperimentView
from console.domain.experiment.trial import Arm, ExperimentVerdict
from console.domain.operator.command import CommandInfo, Confirm, GateLine, Param, Preview, Risk
from console.domain.operator.receipt import Change, Receipt

_WINNERS = {ExperimentVerdict.A_BETTER: Arm.A, ExperimentVerdict.B_BETTER: Arm.B}


class ExperimentAdopt(Command):
    """Set the flag to the winner's value and retire the loser; without a winner, only by name and with a reason."""

    info = CommandInfo(
        name="experiment adopt",
        title="Adopt an experiment's winner",
        summary="Set the flag to the winner's value and retire the loser; without a winner, name the arm and say why.",
        params=(NAME, Param("arm", "A or B, where there is no winner.", False, ("A", "B"), option=True), EXPECT),
        confirm=Confirm.EVIDENCE,
        risk=Risk.RAISES,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        view, record = await self._found(ctx, call)
        arm, gate = _chosen(call, view)
        flag = await ctx.gateway.read_flag(record.experiment.flag)
        before = flag.text if flag is not None else None
        return Preview(
            title=f"Adopt {arm.value} of experiment {record.name}?",
            changes=(
                Change(f"flag:{record.experiment.flag}", before, record.experiment.value(arm)),
                Change(f"experiment {record.name}", record.state.value, ExperimentState.ADOPTED.value),
            ),
            gates=(gate,),
            arguments={**call.args, "arm": arm.value, "expect": str(record.revision)},
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        """The flag goes first: if nothing comes after it, adopting again changes nothing."""
        view, record = await self._found(ctx, call)
        arm, gate = _chosen(call, view)
        if not gate.open and not call.reason:
            raise UsageError(f"No winner: {gate.evidence}.", "To adopt an arm all the same, say --reason WHY.")
        value = record.experiment.value(arm)
        flag = await ctx.gateway.read_flag(record.experiment.flag)
        before = flag.text if flag is not None else None
        if before != value:
            change = Change(record.experiment.flag, before, value)
            await ctx.gateway.flags.set(change, self.order(call, why=call.reason or gate.evidence))
        receipt = await move(ctx, self.order(call), record, ExperimentState.ADOPTED, winner=value)
        return receipt._replace(changes=(Change(f"flag:{record.experiment.flag}", before, value), *receipt.changes))

    async def _found(self, ctx: Context, call: Call) -> tuple[ExperimentView, ExperimentRecord]:
        view, record = await find_experiment(ctx, call)
        if record.state not in (ExperimentState.RUNNING, ExperimentState.STOPPED):
            raise Refused(f"Experiment {view.name} is {record.state.value.lower()}.", "`experiment show` says more.")
        return view, record


def _chosen(call: Call, view: ExperimentView) -> tuple[Arm, GateLine]:
    """The arm that is meant, and whether the evidence is for it.

    Raises:
        Refused: there is no winner, and no arm was named.
    """
    report: ExperimentReport | None = view.report
    winner = _WINNERS.get(report.reading.verdict) if report else None
    verdict = report.reading.verdict.value if report else view.problem or "its agent has reported no round"
    wanted = call.args.get("arm", "")
    if not wanted:
        if winner is None:
            raise Refused(f"Experiment {view.name} has no winner: {verdict}.", "Wait; or name an arm and say why.")
        return winner, GateLine("verdict", True, verdict)
    return Arm(wanted), GateLine("verdict", winner is Arm(wanted), verdict)
