"""A version over the recorded rounds: every run gets the same round at the same time, then the next; nothing of a round
is held once it was compared."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Final, NamedTuple

from console.commands.gates.reading import in_thread
from console.commands.rehearse.process import Process
from console.commands.rehearse.recording import Given, Recording
from console.commands.rehearse.run import Run
from console.domain.rehearsal.answer import Answer, Fault, Problem
from console.domain.rehearsal.compared import Compared
from console.domain.rehearsal.tally import Tally
from console.domain.shadow.compare import Rules
from console.domain.text import Safe

BATCH: Final = 32
"""Rounds that are read from the log at once."""


class Trial(NamedTuple):
    """What is run, and how.

    Args:
        command: program and arguments; no shell sees them.
        env: its whole environment.
        runs: how often it runs over the same inputs; more than once, its own noise is measured.
        timeout_s: the longest wait for the answer to one round.
        deadline_s: the longest that all of it may take.
        rules: what may differ.
        grace_s: how long a run may take to end after its input did.
    """

    command: Sequence[str]
    env: Mapping[str, str]
    runs: int
    timeout_s: float
    deadline_s: float
    rules: Rules
    grace_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of it.

    Args:
        asked: rounds that were given.
        first, last: when the first and the last of them were recorded; None without one.
        inputs_sha256: of every line that was given.
        compared: what differs.
        faults: class → how often, over all runs.
        problem: the first of them, by run; None for none.
        stderr: the last lines of the run that failed first, or of the first.
        elapsed_s: how long it took.
    """

    asked: int
    first: datetime | None
    last: datetime | None
    inputs_sha256: str
    compared: Compared
    faults: Mapping[Fault, int]
    problem: Problem | None
    stderr: tuple[Safe, ...]
    elapsed_s: float


async def rehearse(recording: Recording, trial: Trial) -> Rehearsed:
    """Run it; every process that was started is gone afterwards, whatever happens.

    Raises:
        UsageError: it can't be started, or a log can't be read.
    """
    began = time.monotonic()
    tally = Tally(trial.rules, recording.wanted.paths)
    faults: Counter[Fault] = Counter()
    inputs = sha256()
    asked, first, last = 0, None, None
    processes: list[Process] = []
    runs: list[Run] = []
    try:
        try:
            async with asyncio.timeout(trial.deadline_s):
                async for given in _rounds(recording):
                    if not runs:  # nothing is started for an empty recording
                        runs = await _start(trial, recording, processes)
                    at = given.recorded.at
                    asked, first, last = asked + 1, first or at, at
                    inputs.update(given.line)
                    answers = await asyncio.gather(*(run.ask(asked, given.line) for run in runs))
                    whole = [answer for answer in answers if isinstance(answer, Answer)]
                    if len(whole) == len(runs):
                        tally.add(given.recorded, whole)
                    if any(run.ended for run in runs):
                        break
        except TimeoutError:
            faults[Fault.OUT_OF_TIME] += 1
        else:
            await asyncio.gather(*(run.finish() for run in runs))
    finally:
        for process in processes:  # all of them, before anything else can go wrong
            process.kill()
        for process in processes:
            await process.aclose()
    for run in runs:
        faults.update(run.faults)
    failed = next((at for at, run in enumerate(runs) if run.first is not None), 0)
    return Rehearsed(
        asked=asked,
        first=first,
        last=last,
        inputs_sha256=inputs.hexdigest(),
        compared=tally.end(),
        faults=dict(faults),
        problem=_first_problem(runs, faults, trial),
        stderr=processes[failed].stderr if processes else (),
        elapsed_s=time.monotonic() - began,
    )


def _first_problem(runs: Sequence[Run], faults: Mapping[Fault, int], trial: Trial) -> Problem | None:
    problem = next((run.first for run in runs if run.first is not None), None)
    if problem is None and Fault.OUT_OF_TIME in faults:
        return Problem(Fault.OUT_OF_TIME, 0, 0, f"more than {trial.deadline_s:g} s")
    return problem


async def _start(trial: Trial, recording: Recording, processes: list[Process]) -> list[Run]:
    runs, wanted = [], recording.wanted
    for number in range(1, trial.runs + 1):
        process = Process.spawn(trial.command, trial.env)
        processes.append(process)
        await process.connect()
        runs.append(Run(number, process, wanted.version, wanted.paths, trial.timeout_s, trial.grace_s))
    return runs


async def _rounds(recording: Recording) -> AsyncIterator[Given]:
    """The rounds; the log is read on a thread of its own, so that a disk that hangs stops nobody."""
    rounds = recording.rounds()
    while batch := await in_thread(lambda: list(islice(rounds, BATCH))):
        for given in batch:
            yield given
