"""Reading what is held: each part with its own time-out, lacking on its own."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from console.commands.base import Call
from console.commands.commitments.evidence import sight_of
from console.commands.context import Context
from console.commands.gates.reading import bounded, in_thread
from console.domain.board.held import Held, KeptStates, SnapshotFile
from console.domain.commitments.left import Left
from console.domain.commitments.versions import VersionFacts
from console.domain.errors import ConsoleError
from console.domain.fence.deployment import Slot
from console.domain.gates.fact import Fact, Lack, Lacking
from console.domain.gates.one_rule import in_dispute
from console.domain.state.snapshot import Snapshot
from console.domain.text import Safe, clean
from console.domain.venue.stored import MOST as MOST_ITEMS
from console.domain.venue.stored import VenueSeen
from console.domain.venue.terms import EscrowTerms
from console.store.files import snapshots
from console.store.reading.kept import kept_states
from console.store.records.venue import read_seen

SHOWN: Final = 200
"""Snapshots that are listed."""
TIMEOUT_S: Final = 5.0
VENUE_S: Final = 15.0
"""The longest that the venue is waited for; its document has shorter time-outs for each request."""
OURS_EVERY_S: Final = 60.0
"""A look at the venue that nobody repeats is old after three times that."""
HASH_DIGITS: Final = 12
_File = tuple[int, int]


class Before(NamedTuple):
    """What is not read anew each time.

    Args:
        files: path → time, size and what was read.
        terms: of the venue's document.
        looked: our own look at the venue.
    """

    files: Mapping[str, tuple[_File, SnapshotFile]] = {}
    terms: Fact[EscrowTerms] | None = None
    looked: Fact[VenueSeen] | None = None


async def read_held(ctx: Context, before: Before, *, outside: bool) -> tuple[Held, Before]:
    """What is held now.

    Args:
        ctx: surroundings, with a connection of its own.
        before: what was read the last time.
        outside: whether the venue is asked, where a document names one, and that document read again.
    """
    started = time.perf_counter()
    left: Fact[Left] = await bounded("commitments", ctx.clock, TIMEOUT_S, ctx.gateway.owing.left())
    versions: Fact[tuple[VersionFacts, ...]] = await bounded("versions", ctx.clock, TIMEOUT_S, _versions(ctx))
    kept: Fact[KeptStates] = await bounded("kept states", ctx.clock, TIMEOUT_S, _kept(ctx))
    authority = await bounded("authority", ctx.clock, TIMEOUT_S, _authority(ctx))
    files: dict[str, tuple[_File, SnapshotFile]] = {}
    listed: Fact[tuple[SnapshotFile, ...]] = await bounded(
        "snapshot files", ctx.clock, TIMEOUT_S, in_thread(lambda: _files(ctx.snapshots, before.files, files))
    )
    terms, looked = before.terms, before.looked
    if terms is None or outside:
        terms = await bounded("venue's document", ctx.clock, TIMEOUT_S, in_thread(lambda: _terms(ctx)))
    seen: Fact[VenueSeen] = await bounded("venue, by a guard", ctx.clock, TIMEOUT_S, _by_guard(ctx))
    if outside and ctx.venue is not None:
        looked = await bounded("venue, by this console", ctx.clock, VENUE_S, _look(ctx))
    held = Held(
        at=ctx.clock(),
        took_s=time.perf_counter() - started,
        authority=authority.value[0] if authority.value is not None else None,
        runs=_runs(left.value),
        left=left,
        disputed=frozenset(one.id for one in left.value.owed if in_dispute(one)) if left.value else frozenset(),
        versions=versions,
        venue=_newer(seen, looked),
        terms=terms,
        snapshots=listed,
        kept=kept,
    )
    return held, Before(files or before.files, terms, looked)


async def _versions(ctx: Context) -> tuple[VersionFacts, ...]:
    """As `versions` judges them: by a guard's last look."""
    return await ctx.gateway.owing.versions(await sight_of(ctx))


async def _authority(ctx: Context) -> tuple[object]:
    return (await ctx.gateway.fence.authority(),)


def _runs(left: Left | None) -> Mapping[Slot, tuple[str, ...]]:
    if left is None:
        return {}
    runs = {slot: {clean(one.version, 64) for one in left.living(slot) if one.version} for slot in Slot}
    return {slot: tuple(sorted(names)) for slot, names in runs.items()}


async def _kept(ctx: Context) -> KeptStates:
    listed = await kept_states(ctx.gateway.client, ctx.gateway.keys)
    return KeptStates(listed.states, listed.problems, listed.now)


def _files(
    folder: Path, before: Mapping[str, tuple[_File, SnapshotFile]], now: dict[str, tuple[_File, SnapshotFile]]
) -> tuple[SnapshotFile, ...]:
    """The newest files; one that did not change since is not read again."""
    listed = []
    for path in sorted(folder.glob("*.json"), reverse=True)[:SHOWN]:
        stat = path.stat(follow_symlinks=False)
        mark = (stat.st_mtime_ns, stat.st_size)
        known = before.get(str(path))
        row = known[1] if known is not None and known[0] == mark else _file(path, stat.st_size)
        now[str(path)] = (mark, row)
        listed.append(row)
    return tuple(listed)


def _file(path: Path, size: int) -> SnapshotFile:
    name, where = clean(path.stem, 120), clean(path, 400)
    try:
        data = snapshots.read_bytes(path)
        digest = Safe(hashlib.sha256(data).hexdigest()[:HASH_DIGITS])
    except ConsoleError as error:
        return SnapshotFile(name, where, size, problem=clean(error.message, 200))
    try:
        taken: Snapshot = snapshots.decode(data, name=path.name)
    except ConsoleError as error:
        return SnapshotFile(name, where, size, digest, problem=clean(error.message, 200))
    return SnapshotFile(
        name,
        where,
        size,
        digest,
        taken_at=taken.taken_at,
        active=clean(taken.active or "", 24),
        flags=len(taken.flags),
        who=clean(taken.taken_by, 80),
        why=clean(taken.why, 200),
    )


def _terms(ctx: Context) -> EscrowTerms:
    if ctx.venue is None:
        raise Lacking(Lack.NOT_CHECKED, "no venue's document is configured")
    from console.venue.setup import load

    return load(Path(str(ctx.venue).replace("{agent}", ctx.agent))).rules.escrow


async def _by_guard(ctx: Context) -> VenueSeen:
    seen = await read_seen(ctx.gateway.client, ctx.gateway.keys)
    if seen is None:
        raise Lacking(Lack.NOT_CHECKED, "no guard has ever asked the venue")
    return seen


async def _look(ctx: Context) -> VenueSeen:
    """A look of our own, kept nowhere."""
    from console.commands.venue.common import local_books, prober
    from console.domain.venue.books import compare
    from console.domain.venue.judge import closed, judge

    async with prober(ctx, Call({})) as asked:
        venue, now = asked.venue, ctx.clock()
        books = await in_thread(lambda: local_books(ctx, venue))
        look = await asked.look(now, (books.escrows or ()) if books else ())
        done, hide = ctx.clock(), venue.secret.hide
        items = judge(look, books, venue.rules, done)
        shut = closed(items)
        kept = (*shut, *(one for one in items if one.why is None))[:MOST_ITEMS]
        return VenueSeen(
            look.venue,
            now,
            Safe("this console"),
            OURS_EVERY_S,
            len(shut),
            tuple(type(one)(hide(one.what), one.why, hide(one.detail), one.at) for one in kept),
            compare(books, look, venue.rules.tolerances, done),
        )


def _newer(seen: Fact[VenueSeen], looked: Fact[VenueSeen] | None) -> Fact[VenueSeen]:
    """Of a guard's look and our own the newer one; one that failed only where there is no other."""
    if looked is None or (looked.value is None and seen.value is not None):
        return seen
    if looked.value is None or seen.value is None:
        return looked
    return looked if looked.value.at > seen.value.at else seen
