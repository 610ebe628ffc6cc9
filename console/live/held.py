"""Reading what is held: each part with its own time-out, lacking on its own."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from console.commands.base import Call
from console.commands.commitments.evidence import sight_of
from console.commands.commitments.whole import state_name, state_said
from console.commands.context import Context
from console.commands.gates.reading import bounded, in_thread
from console.commands.venue.sight import escrows_of, guards_listing, terms_known
from console.domain.board.held import Held, SnapshotFile
from console.domain.board.whole import put_together
from console.domain.commitments.left import Left
from console.domain.commitments.listing import Listing
from console.domain.commitments.versions import VersionFacts
from console.domain.errors import ConsoleError
from console.domain.fence.deployment import Slot
from console.domain.gates.fact import Fact, Lack, Lacking, known, lacking
from console.domain.state.kept import KeptStates
from console.domain.state.snapshot import Snapshot
from console.domain.text import Safe, clean
from console.domain.venue.books import compare, watching
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
TERMS_EVERY_S: Final = 10.0
HASH_DIGITS: Final = 12
_File = tuple[int, int]


class Looked(NamedTuple):
    """What the venue said to this console.

    Args:
        seen: each probe, and both books.
        listing: what is outstanding there.
    """

    seen: VenueSeen
    listing: Listing


class Before(NamedTuple):
    """What is not read anew each time.

    Args:
        files: path → time, size and what was read.
        looked: our own look at the venue.
        tried_s: when it was tried, by the steady clock.
        terms: who is paid at an escrow's time-out.
        terms_s: when that was read, alike.
    """

    files: Mapping[str, tuple[_File, SnapshotFile]] = {}
    looked: Fact[Looked] | None = None
    tried_s: float = -math.inf
    terms: Fact[tuple[EscrowTerms, ...]] | None = None
    terms_s: float = -math.inf


async def read_held(ctx: Context, before: Before, *, outside: bool) -> tuple[Held, Before]:
    """What is held now.

    Args:
        ctx: surroundings, with a connection of its own.
        before: what was read the last time.
        outside: whether the venue is asked in any case, where a document names one. Else it is asked now and then,
            and not where a guard asks it about all that is ours.
    """
    started = time.perf_counter()
    left: Fact[Left] = await bounded("commitments", ctx.clock, TIMEOUT_S, ctx.gateway.owing.left())
    versions: Fact[tuple[VersionFacts, ...]] = await bounded("versions", ctx.clock, TIMEOUT_S, _versions(ctx))
    kept: Fact[KeptStates] = await bounded(
        "kept states", ctx.clock, TIMEOUT_S, kept_states(ctx.gateway.client, ctx.gateway.keys)
    )
    authority = await bounded("authority", ctx.clock, TIMEOUT_S, _authority(ctx))
    files: dict[str, tuple[_File, SnapshotFile]] = {}
    listed: Fact[tuple[SnapshotFile, ...]] = await bounded(
        "snapshot files", ctx.clock, TIMEOUT_S, in_thread(lambda: _files(ctx.snapshots, before.files, files))
    )
    terms, terms_s = before.terms, before.terms_s
    if terms is None or outside or time.monotonic() - terms_s >= TERMS_EVERY_S:  # a document is parsed for it
        terms, terms_s = await bounded("terms", ctx.clock, TIMEOUT_S, terms_known(ctx)), time.monotonic()
    seen: Fact[VenueSeen] = await bounded("venue, by a guard", ctx.clock, TIMEOUT_S, _by_guard(ctx))
    state = await state_said(ctx)
    ours = escrows_of(left.value.owed if left.value is not None else (), state.value)
    guards: Fact[Listing] = await bounded("venue, by a guard", ctx.clock, TIMEOUT_S, guards_listing(ctx))
    told = guards.value is not None and guards.value.tells_of(ours)
    looked, tried_s = before.looked, before.tried_s
    if ctx.venue is not None and (outside or (not told and time.monotonic() - tried_s >= OURS_EVERY_S)):
        looked, tried_s = await bounded("venue", ctx.clock, VENUE_S, _look(ctx, ours)), time.monotonic()
    held = Held(
        at=ctx.clock(),
        took_s=time.perf_counter() - started,
        authority=authority.value[0] if authority.value is not None else None,
        runs=_runs(left.value),
        left=left,
        whole=put_together(left, state, state_name(ctx, state), _there(guards, looked, told=told), terms),
        versions=versions,
        venue=_newer(seen, looked),
        terms=terms,
        snapshots=listed,
        kept=kept,
    )
    return held, Before(files or before.files, looked, tried_s, terms, terms_s)


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


async def _by_guard(ctx: Context) -> VenueSeen:
    seen = await read_seen(ctx.gateway.client, ctx.gateway.keys)
    if seen is None:
        raise Lacking(Lack.NOT_CHECKED, "no guard has ever asked the venue")
    return seen


async def _look(ctx: Context, ours: frozenset[str]) -> Looked:
    """A look of our own, kept nowhere.

    Args:
        ctx: surroundings.
        ours: ids of our escrows: a venue may list none by itself.
    """
    from console.commands.venue.common import local_books, prober
    from console.domain.commitments.at_venue import listing_of
    from console.domain.venue.judge import closed, judge

    began = await ctx.gateway.gates.now()
    async with prober(ctx, Call({})) as asked:
        venue, now = asked.venue, ctx.clock()
        books = watching(await in_thread(lambda: local_books(ctx, venue)), sorted(ours), now)
        look = await asked.look(now, (books.escrows or ()) if books else ())
        done, hide = ctx.clock(), venue.secret.hide
        items = judge(look, books, venue.rules, done)
        shut = closed(items)
        kept = (*shut, *(one for one in items if one.why is None))[:MOST_ITEMS]
        seen = VenueSeen(
            look.venue,
            now,
            Safe("this console"),
            OURS_EVERY_S,
            len(shut),
            tuple(type(one)(hide(one.what), one.why, hide(one.detail), one.at) for one in kept),
            compare(books, look, venue.rules.tolerances, done),
        )
        return Looked(seen, listing_of(look, venue.rules.escrow, done, venue.rules.tolerances.fresh_s, began))


def _there(guards: Fact[Listing], looked: Fact[Looked] | None, *, told: bool) -> Fact[Listing]:
    """What is outstanding at the venue, by whoever looked last; one that does not tell of all that is ours only where
    nobody else can be asked."""
    own = None if looked is None else looked.value
    if own is not None and guards.value is not None and told and guards.value.at and own.listing.at:
        return guards if guards.value.at > own.listing.at else known(guards.source, guards.at, own.listing)
    if own is not None and not told:
        return known(guards.source, guards.at, own.listing)
    if looked is not None and looked.lack is not None and not told:
        return lacking(looked.source, looked.at, looked.lack, looked.why)
    return guards


def _newer(seen: Fact[VenueSeen], looked: Fact[Looked] | None) -> Fact[VenueSeen]:
    """Of a guard's look and our own the newer one; one that failed only where there is no other."""
    if looked is None or (looked.value is None and seen.value is not None):
        return seen
    if looked.value is None:
        assert looked.lack is not None
        return lacking(looked.source, looked.at, looked.lack, looked.why)
    own = looked.value.seen
    newer = seen.value is None or own.at > seen.value.at
    return known(looked.source, looked.at, own) if newer else seen
