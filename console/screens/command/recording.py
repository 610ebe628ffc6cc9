"""`:record FILE` and `:record stop`: what this console sees, kept in a file while it goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from console.domain.errors import ConsoleError
from console.domain.text import clean

if TYPE_CHECKING:
    from console.recording.recorder import Recorded
    from console.screens.frame.host import Host

STOP: Final = "stop"
MOST_BYTES: Final = 200 * 1024 * 1024
"""Of a recording that is made from within the console; the oldest part goes where it is full."""


async def record(host: Host, word: str) -> None:
    """Begin a recording, end it, or say how it stands.

    Args:
        host: the app.
        word: a file, `stop`, or nothing.
    """
    if word == STOP:
        await stop(host)
    elif host.recorder is not None:
        state = host.recorder.state
        host.say(f"Recording into {host.recorder.path}: {_told(state)}. :record stop ends it.", "info")
    elif not word:
        host.say("record: into which file? :record FILE begins, :record stop ends.", "info")
    else:
        await _begin(host, word)


async def _begin(host: Host, file: str) -> None:
    from console.recording.recorder import Recorder
    from console.recording.ring import Ring

    seen = host.observation
    if seen is not None and seen.looking is not None:
        host.say("This is not the present; what it shows is kept already.", "warn")
        return
    if seen is not None and seen.read_only:
        host.say("This console may only look, and writes no file. `agent-console record` writes one.", "warn")
        return
    loop = asyncio.get_running_loop()

    def ended() -> None:
        loop.call_soon_threadsafe(_failed, host)

    try:
        ring = await asyncio.to_thread(Ring, Path(file).expanduser(), most_bytes=MOST_BYTES)
    except ConsoleError as error:
        host.say(str(error), "warn")
        return
    host.recorder = recorder = Recorder(ring, ended)
    host.boards.keep(True)
    if seen is not None:
        recorder.take(seen, host.boards.seen)
    host.say(f"Recording into {clean(ring.path)}; :record stop ends it.", "ok")


def _failed(host: Host) -> None:
    recorder, host.recorder = host.recorder, None
    host.boards.keep(False)
    if recorder is not None:
        host.say(f"Recording ended: {recorder.state.problem}", "bad", fade_s=0)


async def stop(host: Host) -> None:
    """End a recording; what is in it is said."""
    recorder, host.recorder = host.recorder, None
    host.boards.keep(False)
    if recorder is None:
        host.say("Nothing is recorded now.", "info")
        return
    state = await asyncio.to_thread(recorder.close)
    if state.problem:
        host.say(f"Recording ended: {state.problem}", "bad", fade_s=0)
    else:
        host.say(f"Recorded: {recorder.path}, {_told(state)}", "ok")


def _told(state: Recorded) -> str:
    lost = f", {state.lost} left out" if state.lost else ""
    return f"{state.frames} frames, {state.bytes / 1e6:.1f} MB{lost}"
