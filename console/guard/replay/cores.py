"""Several replays of the same logs, one a core at a time: what each finds is what it finds alone.

One replay stays on one core: every rule depends on all rounds before it. Of a round's time, the rules take seven tenths
and more; to read it in another process and hand it over would save a fifth at most.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from console.domain.triggers.settings import TriggerSettings
from console.guard.replay.replay import Outcome, replay
from console.guard.setup.signals import Signals
from console.logs.options import LogOptions


def replay_each(
    paths: Sequence[Path],
    settings: Sequence[TriggerSettings],
    *,
    options: LogOptions,
    signals: Signals | None = None,
    cores: int | None = None,
) -> Iterator[Outcome]:
    """Replay logs with each of several settings; the outcomes, in their order, each as soon as it and those before it
    are there.

    Args:
        cores: how many replays run at once; None for as many as there are cores.

    Raises:
        UsageError: a log can't be read.
    """
    one = partial(_replay, tuple(paths), options, signals)
    at_once = min(len(settings), cores or os.cpu_count() or 1)
    if at_once <= 1:
        yield from map(one, settings)
        return
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:  # a fork would copy threads' locks
        yield from pool.map(one, settings)


def _replay(
    paths: tuple[Path, ...], options: LogOptions, signals: Signals | None, settings: TriggerSettings
) -> Outcome:
    return replay(paths, settings, options=options, signals=signals)
