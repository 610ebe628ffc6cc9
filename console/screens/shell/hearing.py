"""Where observations come from, what is told at once (alerts, failovers), and how a process is told to end."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import Final, Literal

from console.domain.guard.alerts import AlertKind
from console.domain.seen.observation import Observation
from console.domain.seen.playback import HasPresent, LooksBack
from console.domain.seen.source import Source
from console.screens.shell.painting import Painting
from console.views.failover import failover_text, newest_failover

EXIT_HUNG_UP: Final = 129
EXIT_TERMINATED: Final = 143

_EARLY_S: Final = 0.02
"""A source turns as often as frames are drawn; by so much a turn may come early without waiting for the next frame."""

_LAST_CHANCE_S: Final = 3.0
_RESTART_S: Final = 1.0


class Hearing(Painting):
    """Listens to the source, which is started again should it end."""

    def _hear(self, source: Source) -> None:
        """What a source that looks back has to say is said here."""
        if isinstance(source, LooksBack):
            source.told = self.say
        if isinstance(source, HasPresent):
            source.beside = self._tell_alerts

    def _catch_signals(self) -> None:
        if self.is_headless or threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self.hung_up)
        loop.add_signal_handler(signal.SIGTERM, self.terminated)

    def hung_up(self) -> None:
        """The terminal is gone: end, and see to it that nothing keeps the process alive."""
        timer = threading.Timer(_LAST_CHANCE_S, os._exit, (EXIT_HUNG_UP,))
        timer.daemon = True
        timer.start()
        self.exit(return_code=EXIT_HUNG_UP)

    def terminated(self) -> None:
        """Somebody asks the process to end: give the terminal back first."""
        self.exit(return_code=EXIT_TERMINATED, message="Terminated.")

    def _watch(self) -> None:
        self._watching = asyncio.get_running_loop().create_task(self.source.run(self.publish), name="source")
        self._watching.add_done_callback(self._watched)

    def _watched(self, task: asyncio.Task[None]) -> None:
        """The source ended, which it never should: say so, and begin again."""
        if task.cancelled() or not self.is_running or task is not self._watching:
            return
        error = task.exception()
        if error is not None:
            self.say(f"Reading stopped: {error}. It is started again.", "bad", fade_s=0)
        self.set_timer(_RESTART_S, self._watch)

    async def _end_watch(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    def publish(self, observation: Observation) -> None:
        """Take an observation; it is drawn at once, or with the next frame if the last one was just now."""
        self.observation = observation
        if self.recorder is not None and observation.looking is None:
            self.recorder.take(observation, self.boards.seen)
        self._fresh = True
        self._tell_alerts(observation)
        self._tell_failovers(observation)
        since_s = asyncio.get_running_loop().time() - self._drawn_at
        if since_s >= 1 / self.settings.hz - _EARLY_S:
            self._tick()

    def _board_was_read(self) -> None:
        """There is something new on a board: it is drawn with the next frame, and recorded where that is wished."""
        self._fresh = True
        if self.recorder is not None and self.observation is not None and self.observation.looking is None:
            self.recorder.take(self.observation._replace(now=self.clock()), self.boards.seen)

    def _tell_alerts(self, observation: Observation) -> None:
        """A new alert rings once and is said; those that were there before the console are only in the banner."""
        if observation.store is None or observation.looking is not None:
            return  # what is over rings no bell
        there = {alert.id: alert for alert in observation.store.alerts if alert.open}
        new = [alert for identity, alert in there.items() if self._alerts is not None and identity not in self._alerts]
        self._alerts = frozenset(there)
        if not new:
            return
        if self.settings.bell:
            self.bell()
        last = new[-1]
        severity: Literal["warning", "error"] = "warning" if last.kind is AlertKind.WARNING else "error"
        self.notify(str(last.reason), title=last.kind.value.upper(), severity=severity, timeout=10, markup=False)

    def _tell_failovers(self, observation: Observation) -> None:
        """That the store's primary is another server is said once."""
        last = newest_failover(observation)
        if last is not None and last.at != self._moved_at:
            self._moved_at = last.at
            self.notify(failover_text(last), title="FAILOVER", severity="warning", timeout=10, markup=False)
