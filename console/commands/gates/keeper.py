"""The gates in front of what raises risk: shown when asked, asked again at the very moment of the act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from console.commands.base import Call
from console.commands.context import Context
from console.commands.gates.gather import gather, gather_again
from console.commands.gates.of_store import Wanted
from console.commands.gateway.door import Order
from console.domain.errors import ClosedGate, Conflict, GatesClosed, GatesMoved, Refused
from console.domain.fence.deployment import Slot
from console.domain.gates.checklist import Checked, Line, check
from console.domain.gates.gate import Act, Asked, State
from console.domain.gates.plan import Person, Plan, not_approved
from console.domain.operator.command import GateLine, Param, Preview
from console.domain.operator.receipt import Receipt
from console.domain.seen.observation import StoreReading
from console.domain.text import clean
from console.store.fence.calls import basis

OVERRIDE: Final = Param("override", "Raise risk over closed gates, for this reason.", False, option=True)
CONFIRM: Final = Param("confirm", "The agent's name, typed, for an override.", False, option=True)
GATED: Final = (OVERRIDE, CONFIRM)
"""Arguments that every verb has that raises risk."""
SEEN: Final = "closed"
"""The argument in which a preview notes the gates that were closed when somebody looked: an override is of those."""


MOST_TRIES: Final = 5
"""How often an act is tried while agents go on with what the gates are asked about."""


class Rise(NamedTuple):
    """An act that raises risk, as the gates are asked about it and as an approval is bound to it.

    Args:
        command: the verb.
        act: what it does to risk.
        target: the side on which it raises it; None for none.
        step: where it leads: a share, a snapshot, an experiment.
        content: whatever else decides what happens: a plan's digest, a run's place, a file's checksum.
    """

    command: str
    act: Act
    target: Slot | None
    step: str = ""
    content: str = ""


async def ask(ctx: Context, rise: Rise, reading: StoreReading) -> Checked:
    """What the gates say now.

    Args:
        ctx: surroundings.
        rise: the act.
        reading: the store, read just now.
    """
    asked = Asked(rise.act, rise.target, ctx.clock(), reading.server_at, ctx.rules)
    facts = await gather(ctx, Wanted(reading, rise.target))
    return check(facts, asked._replace(now=ctx.clock()))


async def ask_at_last(ctx: Context, rise: Rise, reading: StoreReading) -> tuple[Checked, str]:
    """What the gates say in the moment of the act, and what they were asked about, to bind it to.

    Other sources than the store may take their time; then the store is read once more, so that what the act is bound to
    is a moment old, however slow a venue was.
    """
    before = await gather(ctx, Wanted(reading, rise.target))
    reading = await ctx.read()
    facts = await gather_again(ctx, Wanted(reading, rise.target), before)
    checked = check(facts, Asked(rise.act, rise.target, ctx.clock(), reading.server_at, ctx.rules))
    return checked, basis(reading.deployment.authority)


async def show(ctx: Context, preview: Preview, rise: Rise, reading: StoreReading) -> Preview:
    """A preview with the gates as evidence; closed ones take the agent's name, typed, and a reason."""
    checked = await ask(ctx, rise, reading)
    gates = (*preview.gates, *gate_lines(checked.lines))
    if not checked.forbidding:
        return preview._replace(gates=gates)
    seen = " ".join(line.item.id for line in checked.forbidding)
    arguments = {**(preview.arguments or {}), SEEN: seen}
    return preview._replace(gates=gates, typed_name=ctx.agent, overrides=True, arguments=arguments)


def gate_lines(lines: Sequence[Line]) -> tuple[GateLine, ...]:
    """Items as a dialog shows them: what forbids first, then what is open, then what nobody could check."""
    shown = [
        GateLine(
            line.item.id,
            not line.forbids and line.judged.state is State.OPEN,
            line.judged.words,
            "" if line.judged.state is State.OPEN or line.forbids else line.judged.state.value,
        )
        for line in lines
    ]
    forbids = {line.item.id: line.forbids for line in lines}
    return tuple(sorted(shown, key=lambda gate: (not forbids[gate.name], not gate.open)))


async def pass_gates(ctx: Context, call: Call, rise: Rise, order: Order, reading: StoreReading) -> Order:
    """Ask the gates at the moment of the act, and obey; or override them, as far as that is allowed.

    Args:
        ctx, call, rise: what is done, and how it was asked for.
        order: what the audit will say of it.
        reading: the store as it is now; whoever acts binds the act to its epoch.

    Returns:
        The order, bound to what the gates were asked about, with the override in its reason where there was one.

    Raises:
        GatesClosed: gates forbid it, and nobody overrides them.
        Refused: an override without a reason, without the typed name, or without somebody else's approval.
    """
    checked, asked_about = await ask_at_last(ctx, rise, reading)
    order, shut = order._replace(basis=asked_about), checked.forbidding
    if not shut:
        return order
    closed = tuple(ClosedGate(line.item.id, line.judged.state.value, line.judged.words) for line in shut)
    names = ", ".join(gate.name for gate in closed)
    if OVERRIDE.name not in call.args:
        told = "; ".join(f"{gate.name} ({gate.evidence})" for gate in closed)
        raise GatesClosed(
            f"{_count(len(closed))}: {told}.",
            f'`checklist` says more; --override "REASON" --confirm {ctx.agent} goes over them.',
            closed,
        )
    reason = call.args[OVERRIDE.name].strip()
    if not reason:
        raise GatesClosed(
            f"An override takes a reason; {_count(len(closed))}: {names}.", 'Say --override "REASON".', closed
        )
    if call.args.get(CONFIRM.name, "").strip() != ctx.agent:
        raise GatesClosed(
            f"An override takes the agent's name, typed; {_count(len(closed))}: {names}.",
            f"Say --confirm {ctx.agent}.",
            closed,
        )
    unseen = [gate.name for gate in closed if gate.name not in call.args[SEEN].split()] if SEEN in call.args else []
    if unseen:
        raise GatesClosed(
            f"Since you looked, {', '.join(unseen)} closed too; what you override is what you saw.",
            "Look again, then decide.",
            closed,
        )
    ctx.gateway.require_writable(rise.command)
    me = await ctx.gateway.gates.person()
    note = me.told
    if ctx.rules.approvals > 1:
        plan = _plan(ctx, rise, reading, closed, reason, me)
        note = f"{note}; approved by {await _approved(ctx, plan, order, closed)}"
    why = f"OVERRIDE of {names}: {reason}" + (f" ({order.why})" if order.why and order.why != reason else "")
    loud = order._replace(why=str(clean(why, 900)), over=tuple(gate.name for gate in closed))
    await ctx.gateway.gates.overridden(loud, {gate.name: gate.evidence for gate in closed}, note)
    return loud


def _count(number: int) -> str:
    return "A gate is closed" if number == 1 else f"{number} gates are closed"


def _plan(
    ctx: Context, rise: Rise, reading: StoreReading, closed: Sequence[ClosedGate], reason: str, me: Person
) -> Plan:
    return Plan(
        agent=ctx.agent,
        command=rise.command,
        act=rise.act.value,
        target=rise.target.value if rise.target is not None else "",
        step=rise.step,
        expected_epoch=reading.deployment.epoch,
        closed=tuple(sorted(gate.name for gate in closed)),
        content=rise.content,
        reason=reason,
        who=me.who,
        login=me.login,
        proposed_at=reading.server_at,
    )


async def _approved(ctx: Context, plan: Plan, order: Order, closed: tuple[ClosedGate, ...]) -> str:
    """Who agreed to this very plan; where nobody did, it is written down for somebody to do.

    Raises:
        GatesClosed: nobody has, or not any more.
    """
    kept = await ctx.gateway.gates.read()
    stored = next((one for one in kept.plans if one.plan.id == plan.id), None)
    refusal = not_approved(plan, stored.approval if stored is not None else None, await ctx.gateway.gates.now())
    if not refusal:
        assert stored is not None and stored.approval is not None
        return stored.approval.approver.told
    if stored is None or stored.approval is not None:
        await ctx.gateway.gates.propose(plan, order._replace(command=f"propose {order.command}", reversible=False))
    raise GatesClosed(
        f"An override takes a second person here, and {refusal}: plan {plan.id}, "
        f"{plan.command} {plan.target or plan.step} over {', '.join(plan.closed)}.",
        f"Somebody else says `approve {plan.id}`; then the same command again, within the time.",
        closed,
    )


async def asked_again(act: Callable[[], Awaitable[Receipt]]) -> Receipt:
    """Do what asks the gates, and ask them again where what they were asked about moved under it, a few times.

    Raises:
        GatesMoved: it moves faster than it can be asked about.
        ConsoleError: whatever the act raises.
    """
    for _ in range(MOST_TRIES - 1):
        with suppress(GatesMoved):
            return await act()
    return await act()


def same_moment(reading: StoreReading, expected_epoch: int) -> None:
    """Refuse what the gates were not asked about.

    Raises:
        Conflict: who may act has changed since.
    """
    if reading.deployment.epoch != expected_epoch:
        raise Conflict(
            f"Somebody moved the active side meanwhile: the epoch is {reading.deployment.epoch}, not {expected_epoch}.",
            "Look again, then decide.",
        )


def require_known(names: Sequence[str]) -> None:
    """Refuse names of items that there are not.

    Raises:
        Refused: there is one.
    """
    from console.domain.gates.items import BY_ID

    unknown = [name for name in names if name not in BY_ID]
    if unknown:
        raise Refused(
            f"The checklist has no item {clean(unknown[0], 40)!r}.", "`checklist --phase all` lists every item."
        )
