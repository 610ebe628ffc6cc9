"""`agent-console record`: what a console would see, kept in a file."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click

from console.cli.attaching import BUILT_A_TURN
from console.cli.counted import counting_of
from console.cli.options import Session, common
from console.cli.runtime import (
    context_on,
    divergence_set,
    log_set,
    reader_on,
    refuse_what_is_no_primary,
    store_url,
)
from console.commands.clock import utc_now
from console.commands.context import Context
from console.config import Settings
from console.domain.document import Report
from console.domain.errors import EXIT_DONE, EXIT_NO, UsageError
from console.domain.seen.observation import Observation
from console.domain.text import clean, redact_url
from console.live.boards import LiveBoards
from console.live.source import Identity, LiveSource
from console.recording.recorder import Recorder
from console.recording.ring import Ring

MOST: Final = "200MB"
_SPAN: Final = re.compile(r"([0-9]{1,6})(s|m|h|d)\Z")
_SIZE: Final = re.compile(r"([0-9]{1,6})(kB|MB|GB)\Z", re.IGNORECASE)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_BYTES: Final = {"kb": 1000, "mb": 1000**2, "gb": 1000**3}


@dataclass(frozen=True, slots=True)
class RecordReport(Report):
    """A recording that was ended.

    Args:
        file: where it begins; further parts are called the same, with a number behind it.
        frames: that were written.
        bytes: of the files that are there.
        lost: observations that the disk left no time for.
        problem: why it ended before its time; empty where it did not.
    """

    file: str
    frames: int
    bytes: int
    lost: int = 0
    problem: str = field(default="")


@click.command("record", help="Keep what the console would see in a file, for `replay`; without a terminal.")
@click.option("-o", "--output", metavar="FILE", required=True, help="Where to; nothing is written over.")
@click.option("--for", "span", metavar="TIME", help="For so long (90s, 15m, 1h); else until interrupted.")
@click.option(
    "--max", "most", metavar="SIZE", default=MOST, show_default=True, help="Of all its files; the oldest part goes."
)
@common
def record(session: Session, output: str, span: str | None, most: str) -> int:
    """Keep what the console would see in a file."""
    span_s = None if span is None else _number(span, _SPAN, _SECONDS, "1h")
    most_bytes = _number(most, _SIZE, _BYTES, MOST)
    as_json = session.as_json
    settings = session.settings()
    url = store_url(settings, starts=False)
    asyncio.run(refuse_what_is_no_primary(url))
    recorder = Recorder(ring := Ring(Path(output).expanduser(), most_bytes=most_bytes))
    click.echo(f"Recording {settings.agent} on {redact_url(url)} into {clean(ring.path)}; ctrl-c ends it.", err=True)
    try:
        asyncio.run(_watch(settings, url, recorder, span_s))
    finally:
        state = recorder.close()
    report = RecordReport(str(clean(ring.path)), state.frames, state.bytes, state.lost, str(state.problem))
    if as_json:
        click.echo(json.dumps(report.document(), ensure_ascii=False))
    lost = f", {state.lost} left out" if state.lost else ""
    click.echo(f"{report.file}  {state.frames} frames, {state.bytes} bytes{lost}", err=True)
    if state.problem:
        click.echo(f"Recording ended: {state.problem}", err=True)
    return EXIT_NO if state.problem else EXIT_DONE


async def _watch(settings: Settings, url: str, recorder: Recorder, span_s: int | None) -> None:
    """Hand on what is seen, until the time is over, somebody interrupts, or nothing can be written."""

    source = LiveSource(
        Identity(settings.agent, url, True, settings.profile, settings.protected),
        reader_on(settings, url, "agent-console-record"),
        log_set(settings, built=BUILT_A_TURN),
        divergences=divergence_set(settings),
        counting=counting_of(settings),
        hz=settings.ui.hz,
    )
    last: list[Observation] = []

    async def open_board() -> Context:
        return await context_on(settings, url, logs=lambda: last[0].logs if last else None)

    async def close_board(ctx: Context) -> None:
        await ctx.gateway.aclose()

    def seen(observation: Observation) -> None:
        last[:] = [observation]
        recorder.take(observation, boards.seen)

    def board_was_read() -> None:
        if last:
            recorder.take(last[0]._replace(now=utc_now()), boards.seen)

    boards = LiveBoards(open_board, close_board)
    boards.told = board_was_read
    boards.keep(True)
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)

    def ended() -> None:
        loop.call_soon_threadsafe(over.set)

    recorder.on_end = ended
    watching = asyncio.create_task(source.run(seen), name="source")
    watching.add_done_callback(lambda _task: over.set())
    try:
        async with asyncio.timeout(span_s):
            await over.wait()
    except TimeoutError:
        pass
    finally:
        stopped = watching.done()
        watching.cancel()
        results = await asyncio.gather(watching, return_exceptions=True)
        await boards.aclose()
    if stopped and isinstance(results[0], BaseException):
        raise results[0]


def _number(text: str, form: re.Pattern[str], units: dict[str, int], example: str) -> int:
    match = form.match(text.strip())
    number = int(match[1]) * units[match[2].lower()] if match else 0
    if not number:
        raise UsageError(f"{clean(text, 40)!r} can't be understood.", f"Write it like {example}.")
    return number
