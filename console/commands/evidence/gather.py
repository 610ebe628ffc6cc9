"""Gathering evidence: the store on the loop, everything that reads or writes files beside it."""

from __future__ import annotations

import asyncio
import json
import platform
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from console import __version__
from console.domain.errors import ConsoleError, Refused
from console.domain.operator.progress import TELL
from console.domain.seen.kept import SAME_CLOCK, Kept
from console.domain.seen.observation import LogReading
from console.domain.seen.past import flags_at
from console.domain.seen.timeline import MarkKind
from console.domain.state.flags import FlagReading
from console.domain.text import clean, redact_url
from console.evidence.bundle import Bundle, bundle
from console.evidence.kept import kept_of
from console.evidence.manifest import Earned, LogEntry, Manifest
from console.evidence.names import ALERTS, FLAGS, FORM, MANIFEST, REPORT, STREAMS, sound
from console.evidence.records import LEFT, plain, read_key, small_keys, write_stream
from console.evidence.report import report_text
from console.evidence.rounds import LogPart, write_rounds
from console.store.keys import GuardKeys
from console.store.server.trouble import wrap_errors
from console.views.evidence import EvidenceReport
from console.views.fence.chains import ChainReport

if TYPE_CHECKING:
    from console.commands.context import Context

Span = tuple[datetime, datetime]

TRIPS: Final = 3
"""Moments of trips of which pictures are drawn, the newest, beside the end of the time."""
LATER_MS: Final = 10**13
"""Whatever was written since: a flag's value at a moment may stand in what changed it later."""
MOST_SNAPSHOT: Final = 1 << 20
"""Bytes of a snapshot's file that is taken in; of a larger one its place in the list is."""
MOST_SNAPSHOTS: Final = 200


@dataclass(slots=True)
class _Found:
    """What was gathered before the file is written.

    Args:
        left: what is not in it by its nature.
        missing: what should be in it and could not be had.
    """

    entries: dict[str, int] = field(default_factory=dict)
    chains: list[ChainReport] = field(default_factory=list)
    left: list[str] = field(default_factory=lambda: list(LEFT))
    missing: list[str] = field(default_factory=list)
    server: str = ""


async def gather(ctx: Context, span: Span, now: datetime, path: Path) -> EvidenceReport:
    """Write the evidence of a time.

    Args:
        ctx: of a command.
        span: from when, and before when, aware UTC.
        now: aware UTC.
        path: where it is written; nothing may be there.

    Raises:
        Refused: something is.
        ConsoleError: it can't be written.
        StoreUnreachable: there was no answer.
    """
    tell = TELL.get()
    if path.exists():
        raise Refused(f"{clean(str(path))} is there already, and is not written over.", "Name another file.")
    with TemporaryDirectory(prefix="agent-console-evidence-") as name:
        folder = Path(name)
        found = _Found()
        tell("reading the store")
        await _store(ctx, span, now, folder, found)
        stop = threading.Event()

        def told(text: str) -> None:
            if stop.is_set():
                raise ConsoleError("Gathering evidence was ended before it was whole; nothing was written.")
            tell(text)

        loop = asyncio.get_running_loop()  # an executor, not to_thread: pictures must not know the console's own app
        try:
            return await loop.run_in_executor(None, _write, ctx, span, now, path, folder, found, told)
        except asyncio.CancelledError:
            stop.set()
            raise


async def _store(ctx: Context, span: Span, now: datetime, folder: Path, found: _Found) -> None:
    client, keys = ctx.gateway.client, ctx.gateway.keys
    (folder / "store").mkdir()
    reading = await ctx.read()
    found.server = str(reading.server)
    skew = reading.server_at - reading.at
    if abs(skew) > SAME_CLOCK:
        ahead = "ahead of" if skew > timedelta() else "behind"
        found.left.append(
            f"the store's clock is {abs(skew).total_seconds():.1f} s {ahead} ours; its entries go by its own"
        )
    else:
        skew = timedelta()
    since_ms, until_ms = (int((moment + skew).timestamp() * 1000) for moment in span)
    for name, member in STREAMS.items():
        streamed = await write_stream(client, keys, name, (since_ms, until_ms), folder / member)
        found.entries[name] = streamed.entries
        if streamed.problem:
            found.missing.append(streamed.problem)
    for name, key in small_keys(keys).items():
        value, problem = await read_key(client, key)
        if problem:
            found.missing.append(f"store/{name}.json: {problem}")
        elif value is not None:
            _save(folder / "store" / f"{name}.json", value)
    alerts, problem = await read_key(client, GuardKeys.of(keys).alerts)
    if problem:
        found.missing.append(f"{ALERTS}: {problem}")
    _save(folder / ALERTS, alerts if isinstance(alerts, dict) else {})
    later = folder / "later"
    await write_stream(client, keys, "audit", (since_ms, until_ms + LATER_MS), later)
    await asyncio.to_thread(_flags, folder, later, ctx.agent, span, reading.flags)
    with wrap_errors():
        found.chains += [ChainReport.of(name, one) for name, one in await ctx.gateway.verify_chains()]


def _save(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="ascii")


def _flags(folder: Path, later: Path, agent: str, span: Span, now: Mapping[str, FlagReading]) -> None:
    """What flags were when the time began and ended, and are now, by what commands wrote."""
    from console.evidence.entries import read_entries
    from console.store.records.audit import decode_entry

    with later.open("rb") as file:
        entries = (decode_entry(name, fields) for name, fields in read_entries(file))
        receipts = tuple(one for one in entries if any(_is_flag(change.what) for change in one.changes))
    kept = Kept(agent, span[1], receipts=receipts, flags=now)
    moments = {"from": flags_at(kept, span[0]), "to": flags_at(kept, span[1]), "now": now}
    document: dict[str, Any] = {when: dict(_values(flags)) for when, flags in moments.items()}
    document["problems"] = {when: _told(flags) for when, flags in moments.items()}
    _save(folder / FLAGS, document)


def _told(flags: Mapping[str, FlagReading]) -> dict[str, str]:
    return {name: str(one.problem) for name, one in flags.items() if one.problem}


def _is_flag(what: str) -> bool:
    return what.startswith("flag:")


def _values(flags: Mapping[str, FlagReading]) -> Iterator[tuple[str, str | None]]:
    for name, one in flags.items():
        if one.missing:
            yield name, None
        elif one.type is not None:
            yield name, plain(one.text)


def _write(
    ctx: Context, span: Span, now: datetime, path: Path, folder: Path, found: _Found, tell: Callable[[str], None]
) -> EvidenceReport:
    try:
        with bundle(path, now) as out:
            parts, earned = _decisions(ctx, out, span, found, tell)
            kept, problems = kept_of(lambda name: (folder / name).open("rb"), ctx.agent, span)
            found.missing += problems
            pictures = _pictures(ctx, out, kept, found, tell)
            _snapshots(ctx, out, span, found)
            for file in sorted(folder.rglob("*.json*")):
                out.add_file(str(file.relative_to(folder)), file)
            manifest = _manifest(ctx, span, now, found, parts, earned)
            out.add(MANIFEST, json.dumps(manifest.document(), indent=1).encode() + b"\n")
            out.add(REPORT, report_text(manifest, kept, pictures).encode())
            digest = out.end()
        size = path.stat().st_size
    except OSError as error:
        raise ConsoleError(f"{clean(str(path))} can't be written: {error.strerror or error}.") from error
    whole = all(chain.well for chain in found.chains)
    lines = sum(part.lines for part in parts)
    left = tuple(map(str, (clean(one, 400) for one in (*found.missing, *found.left))))
    return EvidenceReport(str(path), size, digest, *span, lines, whole, bool(found.missing), left)


def _decisions(
    ctx: Context, out: Bundle, span: Span, found: _Found, tell: Callable[[str], None]
) -> tuple[list[LogPart], list[Earned]]:
    from console.domain.seen.asking import Ask
    from console.logs.index.logs import indexed
    from console.logs.sealed import logs_of, verify_log

    if not ctx.decisions:
        found.left.append("no decision log was named: --decisions names one")
        return [], []
    tell("reading decision logs")
    with indexed(ctx.decisions, ctx.log_options, ctx.index) as index:
        parts = write_rounds(out, index, ctx.log_options, span, tell)
        found.missing += [f"decision log {clean(part.path, 200)}: {part.problem}" for part in parts if part.problem]
        for log in index.files:
            refused = sum(block.refused for block in log.all_blocks())
            if refused:
                found.left.append(f"decision log {clean(str(log.path), 200)}: {refused:,} lines in it are no decisions")
        tell("summing up")
        try:
            earned = [
                Earned(*key, total.rounds, f"{total.amount:f}")
                for key, total in sorted(index.earned(Ask((), *span)).items())
            ]
        except OSError as error:
            found.missing.append(f"the money: a decision log can't be read any more: {error.strerror}")
            earned = []
        found.missing += [f"decision log {clean(str(one.path), 200)}: {one.why}" for one in index.left]
        if not parts and not index.left:
            found.missing.append("no file matches the decision logs that are named")
    tell("verifying decision logs")
    for path in logs_of(ctx.decisions):
        try:
            found.chains.append(ChainReport.of_log(str(path), verify_log(path)))
        except Refused as error:
            found.missing.append(f"chain of {clean(str(path), 200)}: {error.message}")
    return parts, earned


def _pictures(ctx: Context, out: Bundle, kept: Kept, found: _Found, tell: Callable[[str], None]) -> int:
    """Pictures of every screen when the time ended, and at its newest trips."""
    from console.domain.seen.past import marks_at
    from console.logs.past import logs_at

    if ctx.pictures is None:
        found.left.append("pictures of the screens were not asked for")
        return 0

    def logs(moment: datetime) -> LogReading:
        return logs_at(ctx.decisions, ctx.log_options, ctx.index, moment)

    trips = [mark.at for mark in marks_at(kept) if mark.kind is MarkKind.TRIP and mark.at < kept.read_at]
    moments = dict.fromkeys((kept.read_at, *reversed(trips[-TRIPS:])))
    count = 0
    for moment in moments:
        tell(f"drawing the screens at {moment:%H:%M:%S}")
        try:
            for name, data in ctx.pictures(kept, logs if ctx.decisions else None, moment):
                out.add(f"screens/{moment:%Y%m%dT%H%M%SZ}/{name}", data)
                count += 1
        except ConsoleError as error:
            found.missing.append(f"the screens at {moment:%H:%M:%S} could not be drawn: {error.message}")
    return count


def _snapshots(ctx: Context, out: Bundle, span: Span, found: _Found) -> None:
    """The snapshots on this host: a list of all, and the small files of the time."""
    from console.store.files.snapshots import newest_first

    listed: list[dict[str, Any]] = []
    for stored in newest_first(ctx.snapshots):
        if len(listed) >= MOST_SNAPSHOTS:
            found.left.append(f"of the snapshots on this host only the newest {MOST_SNAPSHOTS}")
            break
        one = stored.snapshot
        listed.append(
            {"id": stored.id, "taken_at": one.taken_at.isoformat() if one else None, "problem": stored.problem}
        )
        if one is None or not span[0] <= one.taken_at < span[1]:
            continue
        try:
            if stored.path.stat().st_size <= MOST_SNAPSHOT:
                out.add_file(f"snapshots/{sound(stored.path.name)}", stored.path)
            else:
                found.left.append(f"snapshot {stored.id}: larger than {MOST_SNAPSHOT:,} bytes")
        except OSError as error:
            found.missing.append(f"snapshot {stored.id}: {error.strerror or error}")
    out.add("snapshots.json", json.dumps(listed, indent=1).encode() + b"\n")


def _versions() -> dict[str, str]:
    """Of what made the file."""
    from importlib.metadata import version

    libraries = {name: version(name) for name in ("redis", "msgspec", "textual")}
    return {"agent-console": __version__, "Python": platform.python_version(), **libraries}


def _manifest(
    ctx: Context, span: Span, now: datetime, found: _Found, parts: list[LogPart], earned: list[Earned]
) -> Manifest:
    return Manifest(
        form=FORM,
        agent=ctx.agent,
        since=span[0],
        until=span[1],
        made_at=now.astimezone(UTC),
        made_by=str(clean(ctx.gateway.who, 100)),
        url=str(redact_url(ctx.gateway.url)),
        versions=_versions() | {"store": found.server},
        entries=found.entries,
        logs=tuple(LogEntry(part.path, part.member, part.lines, part.size) for part in parts),
        earned=tuple(earned),
        chains=tuple(found.chains),
        left=tuple(str(clean(one, 400)) for one in (*found.missing, *found.left)),
    )
