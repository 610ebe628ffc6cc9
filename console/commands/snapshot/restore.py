"""`snapshot restore`: put flags, state file and active version back to what a snapshot holds."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.fence.slots import based_on, parse_slot, refuse_if_halted, warnings_of
from console.commands.fence.switch import EXPECT
from console.commands.gates.keeper import GATED, Rise, pass_gates, show
from console.commands.gateway.door import Order, owed_alone
from console.commands.gateway.fence import Move
from console.commands.snapshot.saved import save
from console.commands.snapshot.source import find
from console.commands.snapshot.state_checks import check_state_file, preview_state, put_state
from console.commands.snapshot.state_file import read_state_text, write_state_text
from console.commands.snapshot.take import take
from console.domain.errors import ConsoleError
from console.domain.gates.gate import Act
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview, Risk
from console.domain.operator.receipt import Change, Receipt
from console.domain.seen.observation import LogReading, StoreReading
from console.domain.state.snapshot import Snapshot, check_restorable, restore_changes

_FLAG = "flag:"


class SnapshotRestore(Command):
    """Put flags, state file and active version back; refused if stale, damaged, or another agent's."""

    info = CommandInfo(
        name="snapshot restore",
        title="Restore a snapshot",
        summary="Put flags, state file and active version back; refused if stale, damaged, or another agent's.",
        key="L",
        params=(
            Param(
                "file",
                "A snapshot's id, a file, or `latest`.",
                suggests="snapshot",
                at_cursor=True,
                nothing="S takes one.",
            ),
            EXPECT,
            Param(
                "into",
                "The standby side whose state file it is; else all must be halted.",
                required=False,
                choices=("blue", "green"),
                option=True,
            ),
            Param("reconciled", "Why it is right although actions were executed since.", required=False, option=True),
            *GATED,
        ),
        confirm=Confirm.EVIDENCE,
        risk=Risk.RAISES,
        short="restore",
        mark="restore",
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        source = await find(ctx, call.require("file"))
        reading = await ctx.read()
        if source.snapshot is None:
            return await preview_state(ctx, call, source, reading)
        snapshot = source.snapshot
        check_restorable(snapshot, agent=ctx.agent, now=ctx.clock())
        changes = await self._changes(ctx, snapshot, reading)
        await check_state_file(ctx, call, snapshot, changes, reading)
        vouch = () if snapshot.flags_whole else ("the snapshot doesn't say that it holds every flag: none is unset",)
        preview = Preview(
            title=f"Restore the snapshot of {snapshot.taken_at:%H:%M:%S}Z ({snapshot.age_s(ctx.clock()):.0f} s old)?",
            changes=changes,
            warnings=(
                *vouch,
                *(warnings_of(reading.deployment) if changes else ("nothing differs from the snapshot",)),
            ),
            irreversible=_since(snapshot, ctx.logs()),
            arguments={**call.args, "file": source.name, "expect_epoch": str(reading.deployment.epoch)},
        )
        rise = _rise(changes, source.name)
        return preview if rise is None else await show(ctx, preview, rise, reading)

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        """The present is snapshotted first, since a restore can't be undone in one step."""
        begun = ctx.gateway.begin(self.order(call), writes=False)
        source = await find(ctx, call.require("file"))
        ctx.gateway.require_writable(self.info.name)
        reading = await ctx.read()
        if source.snapshot is None:
            return await put_state(ctx, call, source, reading, self.order(call))
        snapshot = source.snapshot
        check_restorable(snapshot, agent=ctx.agent, now=ctx.clock())
        changes = await self._changes(ctx, snapshot, reading)
        await check_state_file(ctx, call, snapshot, changes, reading)
        moves_active = any(change.what == "active version" for change in changes)
        if moves_active:
            refuse_if_halted(reading.deployment, "a restore")
        epoch = based_on(call, reading.deployment)
        await ctx.gateway.require_epoch(epoch, reading.deployment)
        if not changes:
            return await begun.record(begun.receipt(note="nothing differed"))
        rise, order = _rise(changes, source.name), self.order(call)
        if rise is not None:  # before anything is put back: half a restore is none
            order = await pass_gates(ctx, call, rise, order, reading)
        kept = (await save(ctx, await take(ctx, f"before restoring {snapshot.taken_at:%H:%M:%S}Z"))).id
        done: list[Change] = []
        try:
            for change in changes:
                await self._apply(ctx, order, snapshot, change, reading, epoch)
                done.append(change)
        except ConsoleError as error:
            names = ", ".join(change.what for change in done) or "nothing"
            raise type(error)(
                f"{error.message} Restored before that: {names}.", f"The state before is {kept}."
            ) from error
        return await begun.record(begun.receipt(*changes, note=f"the state before is {kept}"))

    async def _changes(self, ctx: Context, snapshot: Snapshot, reading: StoreReading) -> tuple[Change, ...]:
        text = None
        if snapshot.state_file is not None and self._target(ctx, snapshot).exists():
            text = read_state_text(self._target(ctx, snapshot))
        flags = {name: f.text for name, f in reading.flags.items() if not f.missing and f.type is not None}
        return restore_changes(snapshot, flags=flags, active=reading.deployment.plain_text, state_text=text)

    def _target(self, ctx: Context, snapshot: Snapshot) -> Path:
        """Where the state file goes: where this console is told it stands, never where a snapshot says."""
        assert snapshot.state_file is not None
        if ctx.state_file is None:
            raise ConsoleError(
                f"The snapshot holds the state file {snapshot.state_file.path}, and none is configured here.",
                "Say --state-file PATH.",
            )
        return ctx.state_file

    async def _apply(
        self, ctx: Context, order: Order, snapshot: Snapshot, change: Change, reading: StoreReading, epoch: int
    ) -> None:
        if change.what.startswith(_FLAG):
            flag = change._replace(what=change.what.removeprefix(_FLAG))
            await ctx.gateway.flags.set(flag, order)
        elif change.what == "state file":
            assert snapshot.state_file is not None
            write_state_text(self._target(ctx, snapshot), snapshot.state_file.text)
        else:
            assert change.after is not None
            move = Move(parse_slot(change.after), reading.deployment, epoch, mode="drain")
            await ctx.gateway.fences.switch(move, order._replace(basis=owed_alone(order.basis)))


def _rise(changes: Sequence[Change], name: str) -> Rise | None:
    """What it raises: a restore that moves the active side lets another version act."""
    moved = next((change.after for change in changes if change.what == "active version"), None)
    if moved is None:
        return None
    return Rise(
        SnapshotRestore.info.name, Act.RESTORE, parse_slot(moved), step=Path(name).stem, content=Path(name).stem
    )


def _since(snapshot: Snapshot, logs: LogReading | None) -> tuple[str, ...]:
    """What happened since the snapshot and can't be taken back."""
    if logs is None:
        return ("what was traded since then is unknown: no decision log is followed",)
    later = [decision for decision in logs.recent if decision.at > snapshot.taken_at and decision.pnl is not None]
    if not later:
        return ()
    sums: dict[tuple[str, bool], Decimal] = {}
    for decision in later:
        assert decision.pnl is not None
        key = (str(decision.pnl.currency), decision.pnl.dry)
        sums[key] = sums.get(key, Decimal(0)) + decision.pnl.amount
    totals = ", ".join(
        f"{total:+f} {currency}{' dry' if dry else ''}".rstrip() for (currency, dry), total in sums.items()
    )
    return (f"{len(later)} rounds since the snapshot ({totals})",)
