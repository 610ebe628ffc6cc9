"""Whose decision log is looked into next: all of them in turn, a share at a time, and at once where one lags behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from console.guard.setup import pace
from console.guard.watch.ward import Ward

Sound = Callable[[Ward, Callable[[], bool]], bool]


class Logs:
    """The decision logs of the agents under watch.

    Args:
        wards: the agents, by name.
        sound: takes one look at an agent; false where it fails, which is that agent's trouble.
        touch: told of an agent whose log brought something new.
    """

    def __init__(self, wards: Mapping[str, Ward], sound: Sound, touch: Callable[[Ward], None]) -> None:
        self._wards = wards
        self._sound = sound
        self._touch = touch
        self._followed: list[Ward] = []
        self._round: Iterator[Ward] = iter(())
        self._began_at = time.monotonic()

    def poll(self, deadline: float) -> bool:
        """Look into logs until a moment on the monotonic clock; whether there are more to look into at once."""
        every_s = pace.look_up_s(len(self._wards))
        for ward in self._round:
            if ward.trouble.why or ward.agent not in self._wards:
                continue
            if self._sound(ward, partial(ward.feed.poll, every_s)):
                self._touch(ward)
            if time.monotonic() > deadline:
                return True
        behind = any(ward.feed.behind for ward in self._followed)
        if behind or time.monotonic() - self._began_at >= pace.log_s(len(self._wards)):
            self._began_at = time.monotonic()
            self._followed = [ward for ward in self._wards.values() if ward.feed.log is not None]
            self._round = iter(self._followed)
        return behind
