"""`snapshot prune`: drop old snapshots, files and kept states; the newest of each always stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from console.commands.base import Call, Command
from console.commands.context import Context
from console.domain.errors import ConsoleError, UsageError
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview
from console.domain.operator.receipt import Change, Receipt
from console.domain.state.kept import KeptState
from console.domain.text import clean
from console.store.files import snapshots
from console.store.reading.kept import kept_states


class _Doomed(NamedTuple):
    files: tuple[Path, ...]
    states: tuple[KeptState, ...]


class SnapshotPrune(Command):
    """Drop all snapshots but the newest N, or those that are older than so many days; files and kept states."""

    info = CommandInfo(
        name="snapshot prune",
        title="Drop old snapshots",
        summary="Drop all but the newest N snapshots, or what is older than so many days; the newest always stays.",
        params=(
            Param("keep", "How many of the newest stay, of files and of kept states.", required=False, option=True),
            Param("days", "What is older than so many days goes.", required=False, option=True),
        ),
        confirm=Confirm.EVIDENCE,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        doomed = await _doomed(ctx, call)
        changes = [Change("snapshot", path.stem, None) for path in doomed.files]
        changes += [Change(f"state store:{one.number}", one.hash, None) for one in doomed.states]
        return Preview(
            title=f"Drop {len(changes)} snapshots?",
            changes=tuple(changes),
            irreversible=("what is dropped can't be got back",) if changes else (),
            arguments=dict(call.args),
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        ctx.gateway.require_writable(self.info.name)
        doomed = await _doomed(ctx, call)
        for path in doomed.files:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise ConsoleError(f"{path} can't be removed: {error.strerror}.") from error
        return await ctx.gateway.states.prune(
            doomed.states, tuple(path.stem for path in doomed.files), self.order(call)
        )


async def _doomed(ctx: Context, call: Call) -> _Doomed:
    keep, days = _number(call, "keep"), _number(call, "days")
    if keep is None and days is None:
        raise UsageError("What is to stay?", "Say --keep N, --days N, or both: then only what both would drop goes.")
    kept = await kept_states(ctx.gateway.client, ctx.gateway.keys)
    spared = max(1, keep or 0)
    files = sorted(filter(_is_snapshot, ctx.snapshots.glob("*.json")), reverse=True)[spared:]
    states = kept.states[spared:]
    if days is not None:
        before = ctx.clock() - timedelta(days=days)
        files = [path for path in files if path.stat().st_mtime < before.timestamp()]
        states = tuple(one for one in states if one.at < kept.now - timedelta(days=days))
    return _Doomed(tuple(files), states)


def _is_snapshot(path: Path) -> bool:
    """Whether a file was written by `snapshot take`: what else lies there is nobody's to drop."""
    return snapshots.is_id(path.stem)


def _number(call: Call, name: str) -> int | None:
    text = call.args.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise UsageError(f"--{name} is a whole number, not {clean(text, 24)!r}.")
    return int(text)
