"""`snapshot take`: write down all that the contract lets us see of an agent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.snapshot.saved import save
from console.commands.snapshot.state_file import read_state_text
from console.domain.errors import ConsoleError, Refused
from console.domain.fence.deployment import ActiveState
from console.domain.operator.command import CommandInfo, Param, Preview
from console.domain.operator.receipt import Change, Receipt
from console.domain.seen.observation import LogReading, StoreReading, Walk
from console.domain.state.snapshot import LogPosition, Snapshot, StateFile, last_decisions, state_fields
from console.domain.text import clean
from console.store.files import snapshots


class SnapshotTake(Command):
    """Write down active version, flags, state file, last 50 decisions and log positions; read back and checked."""

    info = CommandInfo(
        name="snapshot take",
        title="Take a snapshot",
        summary="Write down active version, flags, state file, last 50 decisions and log positions; checked.",
        key="S",
        short="snapshot",
        params=(
            Param("output", "A file to write it to, instead of the snapshot folder.", required=False, option=True),
        ),
        many=True,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        return Preview(title="Take a snapshot?", arguments=dict(call.args))

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        begun = ctx.gateway.begin(self.order(call))
        snapshot = await take(ctx, call.reason)
        output = call.args.get("output", "")
        saved = await save(ctx, snapshot, Path(output).expanduser() if output else None)
        return await begun.record(begun.receipt(Change("snapshot", None, saved.id), note=saved.note))


async def take(ctx: Context, why: str) -> Snapshot:
    """The snapshot of this moment.

    Raises:
        ConsoleError: a part that was asked for can't be read; half a snapshot is none.
    """
    reading = await ctx.read()
    logs = ctx.logs()
    state = None
    document: object = None
    if ctx.state_file is not None:
        state = StateFile(str(ctx.state_file.resolve()), read_state_text(ctx.state_file))
        try:
            document = snapshots.parse_json(state.text)
        except msgspec.DecodeError as error:
            raise ConsoleError(f"The state file {ctx.state_file} is not JSON: {clean(error)}.") from error
        if not isinstance(document, dict):
            raise ConsoleError(f"The state file {ctx.state_file} is no JSON object: it holds no state.")
    fields = state_fields(document)
    deployment = reading.deployment
    return Snapshot(
        agent=ctx.agent,
        taken_at=ctx.clock(),
        taken_by=ctx.gateway.who,
        why=why,
        active=deployment.plain_text if deployment.active.state is not ActiveState.WRONG_TYPE else None,
        epoch=deployment.epoch,
        flags=_texts(reading),
        flags_whole=True,
        version=str(fields["version"] or (deployment.active.slot.value if deployment.active.slot else "")),
        escrow_ids=fields["escrow_ids"],
        open_positions=fields["open_positions"],
        last_action_time=fields["last_action_time"],
        rate_limit_tokens=fields["rate_limit_tokens"],
        decision_log=_records(logs),
        state_file=state,
        logs=tuple(LogPosition(str(f.path), f.inode, f.offset, f.size) for f in logs.files) if logs else (),
    )


def _texts(reading: StoreReading) -> dict[str, str]:
    """The flags that are text, exactly; a snapshot of undecodable bytes would not round-trip and is refused."""
    texts: dict[str, str] = {}
    if reading.flags_walk is not Walk.WHOLE:
        raise Refused(
            "Not every flag has been read: the store holds more keys than were walked through, or permits no SCAN.",
            "A snapshot would lack flags. Try again, or give the agent a database of its own.",
        )
    for name, flag in reading.flags.items():
        if flag.missing or flag.type is None:
            continue
        if not flag.is_exact:
            raise ConsoleError(f"flag {name} holds no plain text of bounded length; a snapshot can't carry it.")
        texts[name] = flag.text
    if reading.flags_more:
        raise ConsoleError(
            f"There are {reading.flags_more} flags more than are read; a snapshot would lack them.",
            "Remove what is not a flag from the flag prefix.",
        )
    return texts


def _records(logs: LogReading | None) -> tuple[Any, ...]:
    if logs is None:
        return ()
    records = []
    for decision in last_decisions(logs.recent):
        try:
            records.append(snapshots.parse_json(decision.raw))
        except msgspec.DecodeError:
            records.append({"unparsed": str(clean(decision.raw, 4096))})
    return tuple(records)
