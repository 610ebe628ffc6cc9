"""`agent-console --plain`: the console as lines, for a screen reader or a log; verbs are typed as to a shell."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

import click

from console.cli.counted import counting_of
from console.cli.options import Session
from console.cli.runtime import divergence_set, log_set, reader_on, refuse_what_is_no_primary, store_url
from console.config import Settings
from console.domain.errors import EXIT_DONE, EXIT_INTERRUPTED, UsageError
from console.domain.seen.observation import Observation
from console.live.source import Identity, LiveSource
from console.views.format import time_text
from console.views.spoken import changes, spoken, whole, worth

WORTH_EVERY_S: Final = 60.0
"""How often what the sides are worth is told, where nothing else is."""
QUIT: Final = frozenset({"q", "quit", "exit"})
KEPT: Final = 1_000
"""Lines that wait while a question is asked; of more the oldest are counted."""
_HELP = "Type a verb as on the command line (`help` lists them), `worth`, an empty line for everything, or `quit`."


class Speaker:
    """Prints a line at a time, and none while somebody is being asked something.

    Args:
        out: prints one line.
    """

    def __init__(self, out: Callable[[str], None]) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._waiting: deque[str] = deque(maxlen=KEPT)
        self._dropped = 0
        self._held = False

    def say(self, lines: Iterable[str]) -> None:
        """Print them, now or when the question is answered."""
        with self._lock:
            for line in lines:
                if self._held:
                    self._dropped += len(self._waiting) == KEPT
                    self._waiting.append(line)
                else:
                    self._out(line)

    def hold(self) -> None:
        """A verb begins: it may ask."""
        with self._lock:
            self._held = True

    def release(self) -> None:
        """It is over: what came meanwhile."""
        with self._lock:
            self._held = False
            if self._dropped:
                self._out(f"{self._dropped} older lines were left out.")
            for line in self._waiting:
                self._out(line)
            self._waiting.clear()
            self._dropped = 0


class Teller:
    """Tells of each observation what is new in it.

    Args:
        speaker: prints.
    """

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._told: Observation | None = None
        self._last_s = 0.0

    def publish(self, observation: Observation) -> None:
        """One more observation; until the store has answered or failed there is nothing to tell."""
        if self._told is None and observation.store is None and not observation.link.attempts:
            return
        lines = list(whole(observation) if self._told is None else changes(self._told, observation))
        now_s = observation.now.timestamp()
        if not lines and now_s - self._last_s >= WORTH_EVERY_S:
            lines = list(worth(observation))
        if lines:
            self._last_s = now_s
            self._speaker.say(f"{_clock(observation)} {line}" for line in lines)
        self._told = observation

    def again(self, *, money: bool) -> None:
        """Everything as it was seen last, or what it is worth."""
        seen = self._told
        if seen is None:
            self._speaker.say(["Nothing was seen yet."])
            return
        self._speaker.say(f"{_clock(seen)} {line}" for line in (worth(seen) if money else whole(seen)))


def _clock(observation: Observation) -> str:
    return spoken(time_text(observation.now, observation.now))


def attach_plain(session: Session) -> int:
    """Tell what happens, a line each, until the operator quits or the input of a terminal ends.

    Raises:
        UsageError: a setting is wrong.
    """
    if session.as_data:
        raise UsageError("What happens is told in lines, and is no data.", "`agent-console status --json` has data.")
    settings = session.settings()
    url = store_url(settings)
    asyncio.run(refuse_what_is_no_primary(url))
    speaker = Speaker(lambda line: click.echo(line))
    teller = Teller(speaker)
    try:
        return asyncio.run(_tell(session, settings, url, speaker, teller))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


async def _tell(session: Session, settings: Settings, url: str, speaker: Speaker, teller: Teller) -> int:
    source = LiveSource(
        Identity(settings.agent, url, settings.read_only, settings.profile, settings.protected, settings.locked),
        reader_on(settings, url, "agent-console-plain"),
        log_set(settings),
        divergences=divergence_set(settings),
        counting=counting_of(settings),
    )
    watching = asyncio.create_task(source.run(teller.publish), name="source")
    tasks = {watching}
    if sys.stdin is not None and sys.stdin.isatty():
        speaker.say([_HELP])
        typed = asyncio.get_running_loop().create_future()
        threading.Thread(
            target=_type, args=(session, url, speaker, teller, source.refresh, typed), name="typed", daemon=True
        ).start()
        tasks.add(typed)  # type: ignore[arg-type]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    if watching in done:
        watching.result()
    return EXIT_DONE


def _type(
    session: Session,
    url: str,
    speaker: Speaker,
    teller: Teller,
    refresh: Callable[[], None],
    over: asyncio.Future[None],
) -> None:
    """Read lines, and carry each out as the command line would, with its questions asked here."""
    loop = over.get_loop()
    for line in sys.stdin:
        word = line.strip()
        if word in QUIT:
            break
        if not word or word == "worth":
            teller.again(money=bool(word))
            continue
        speaker.hold()
        try:
            _carry_out(session, url, word)
        finally:
            speaker.release()
        loop.call_soon_threadsafe(refresh)
    loop.call_soon_threadsafe(_end, over)


def _end(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)


def _carry_out(session: Session, url: str, line: str) -> None:
    """A verb in a process of its own, with this terminal to ask in; the store's address is no argument."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        click.echo(f"That is no line of words: {error}.", err=True)
        return
    words = [*words[1:], "--help"] if words[0] == "help" else words
    code = subprocess.call(
        [sys.executable, "-m", "console", *session.arguments(), *words],
        env={**os.environ, "AGENT_CONSOLE_URL": url},
    )
    if code:
        click.echo(f"Exit code {code}.", err=True)
