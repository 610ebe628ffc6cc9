"""A canary that nobody attends: how soon its capital is back once it is known that a gate has closed."""

from __future__ import annotations

from collections.abc import Iterator

from console.store.server.connect import connect_sync
from tests.bench.figures import median
from tests.bench.line import Line, at_most, beside
from tests.bench.stage import Stage
from tests.guard.unattended import Taken, Unattended


def measure(stage: Stage) -> Iterator[Line]:
    """Every line of this part."""
    runs = [_run(stage, number) for number in range(stage.few(10, 3))]
    known = [one.known_s for one in runs]
    worst = max(one.back_s - one.known_s for one in runs)
    note = f"at step 3 of 4, {len(runs)} runs: the worst; in the store and in the desk"
    yield at_most("unattended: capital back after a closed gate is known", worst, "s", 1.0, note=note)
    yield beside("unattended: until it is known", median(known), "s", note=f"at most {max(known):.2f} s")


def _run(stage: Stage, number: int) -> Taken:
    folder = stage.folder / f"unattended-{number}"
    folder.mkdir()
    with connect_sync(stage.url, timeout_s=30, name="bench") as client:
        client.flushall()
    with Unattended(stage.url, folder, stage.environment()) as play:
        play.climb()
        return play.close_the_gate()
