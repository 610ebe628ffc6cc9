"""`upgrade go` in the console: the run's next step as a question; only a question about it raises risk."""

from __future__ import annotations

from typing import Final

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.fence.slots import slot_label, warnings_of
from console.commands.gates.handover import show_handover
from console.commands.gates.keeper import show
from console.commands.upgrade.change import EXPECT, live, ways
from console.commands.upgrade.seen import gather, switching
from console.commands.upgrade.walk import GO, PATIENCE, UNASKED, Turned, turn
from console.domain.errors import Conflict, Refused
from console.domain.operator.command import CommandInfo, Confirm, FactLine, Param, Preview, Risk, Waits
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean
from console.domain.upgrade.advance import Do, Kind, Next, advance
from console.domain.upgrade.run import MEANING, ORDER, UpgradeRun

MOST_TURNS: Final = 4 * len(ORDER)
_ACTS: Final = {"switch": Do.SWITCH, "canary": Do.START_CANARY}


class UpgradeGo(Command):
    """Take the run as far as it goes now; what raises risk only where that was the question."""

    info = CommandInfo(
        name=GO,
        title="Go on with the upgrade",
        summary="Take the upgrade as far as it goes now, whoever began it.",
        params=(
            EXPECT,
            Param(
                "act",
                "What may be done that raises risk; nothing without it.",
                required=False,
                choices=tuple(_ACTS),
                option=True,
            ),
        ),
        confirm=Confirm.EVIDENCE,
        risk=Risk.RAISES,
        short="go on",
        mark="switch",
        waits=Waits.PLAIN_AGENTS,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        _stored, run = await live(ctx, call)
        gathered = await gather(ctx, run)
        what = advance(run, gathered.seen)
        preview = _asked(run, what, call)
        if run.switched_at is not None or what.kind in (Kind.HOLD, Kind.ABORT):
            return preview
        reading = gathered.reading
        told = await show_handover(ctx, preview, reading, run.target)
        shown = await show(ctx, told, switching(run), reading)
        moves = what.do is Do.SWITCH
        return shown._replace(  # in a run nothing is overridden: closed gates stop it
            overrides=False,
            typed_name="",
            arguments=preview.arguments,
            warnings=(*preview.warnings, *(warnings_of(reading.deployment) if moves else ())),
            irreversible=told.irreversible if moves else (),
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        """Turn by turn, beside whoever walks: every act may be repeated, and each turn is a compare-and-set."""
        ctx.gateway.require_writable(GO)
        _stored, run = await live(ctx, call)
        begun = ctx.gateway.begin(self.order(call), writes=False)  # its parts have entries of their own
        act = _ACTS.get(call.args.get("act", ""))
        turned = await _as_far_as_it_goes(ctx, run, UNASKED if act is None else UNASKED | {act})
        now = turned.stored.run
        before, after = _place(run), _place(now if now is not None and now.id == run.id else run)
        where = turned.next.step or "the run"
        if turned.next.kind is Kind.BLOCK and before == after:
            raise Refused(f"{where}: {clean(turned.next.why, 240)}", "`upgrade show` says more.")
        note = str(clean(turned.next.why, 160))
        return begun.receipt(Change(f"upgrade {run.id[:8]}", before, after), note=note)


async def _as_far_as_it_goes(ctx: Context, run: UpgradeRun, may: frozenset[Do]) -> Turned:
    """Turns until one waits, is in somebody's way, or the run is over."""
    conflicts, stored = 0, await ctx.gateway.upgrades.read()
    last = Turned(stored, Next(Kind.WAIT, why="another run goes on by now"))
    done: Do | None = None
    for _ in range(MOST_TURNS):
        if stored.run is None or stored.run.id != run.id or not stored.run.state.live:
            break
        try:
            last = await turn(ctx, stored, may)
        except Conflict:
            conflicts += 1
            if conflicts >= PATIENCE:
                raise
            stored = await ctx.gateway.upgrades.read()
            continue
        stored = last.stored
        if last.next.kind not in (Kind.DO, Kind.DONE, Kind.SKIP) or (last.next.do and last.next.do is done):
            break
        done = last.next.do
    return last


def _place(run: UpgradeRun) -> str:
    """Where a run stands, in two words."""
    step = run.step
    if not run.state.live or step is None:
        return run.state.value
    return f"{step.name.value} {run.state.value if run.state.value == 'held' else step.state.value}"


def _asked(run: UpgradeRun, what: Next, call: Call) -> Preview:
    """The question that the run's next turn is."""
    step = run.step
    place = f"step {ORDER.index(step.name) + 1} of {len(ORDER)}, {step.name.value}" if step is not None else "its end"
    sides = f"{slot_label(run.old)} → {slot_label(run.target)}"
    note = str(clean(what.why, 250))
    changes: tuple[Change, ...] = ()
    arguments = {**call.args, "run": run.id}
    if what.do in (Do.SWITCH, Do.START_CANARY):
        changes = (
            (Change("active version", run.old.value, run.target.value),)
            if what.do is Do.SWITCH
            else (Change("canary", None, str(clean(run.plan.canary, 120))),)
        )
        title = f"Upgrade {sides}, {place}: {what.do.value} now?"
        arguments["act"] = next(name for name, do in _ACTS.items() if do is what.do)
        yes = what.do.value.capitalize()
    elif what.kind in (Kind.DO, Kind.DONE, Kind.SKIP):
        title = f"Upgrade {sides}: go on from {place}{', up to the switch' if run.switched_at is None else ''}?"
        yes = "Go on"
    else:
        verb = {Kind.WAIT: "waits", Kind.FINISH: "is over", Kind.ABORT: "is to be taken back"}.get(what.kind, "stands")
        title = f"Upgrade {sides} {verb} at {place}. Look again?"
        yes = "Look again"
    meaning = MEANING[step.name] if step is not None else ""
    facts = (FactLine("step", meaning),) if meaning else ()
    waits: tuple[str, ...] = (note,) if note and what.kind is not Kind.BLOCK else ()
    if what.kind is Kind.BLOCK:
        waits = tuple(note.split("; "))
    return Preview(title, changes, waits, arguments=arguments, facts=facts, ways=ways(run), yes=yes)
