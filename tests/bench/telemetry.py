"""OpenTelemetry: what an action's span costs the action, by the real SDK, beside one that nobody is told of."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from console.agent import AgentController
from console.agent.telemetry import beside as telemetry
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests.bench.figures import median
from tests.bench.line import Line, at_most_times, unmeasured
from tests.bench.stage import Stage

FOLDER: Final = Path(sys.prefix) / "telemetry"
NAME: Final = "telemetry: claim to settle, with a span"
ROUNDS: Final = 100


def measure(stage: Stage) -> Iterator[Line]:
    """One line: actions in turn, a hundred with a provider and a hundred without."""
    sys.path.append(str(FOLDER))
    telemetry.api.cache_clear()
    try:
        yield _line(stage)
    except ImportError as error:
        yield unmeasured(NAME, str(error))
    finally:
        sys.path.remove(str(FOLDER))


def _line(stage: Stage) -> Line:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    internal: Any = trace
    client = connect_sync(stage.url, timeout_s=30)
    client.flushall()
    Fence(client, Keys.of()).switch(SwitchRequest("blue", expected_epoch=0, by="bench"))
    taken: dict[bool, list[float]] = {False: [], True: []}
    with AgentController(stage.url, slot="blue", version="1") as controller:
        for turn in range(stage.few(30, 8)):
            for told in (False, True):
                internal._TRACER_PROVIDER = provider if told else None
                began = time.perf_counter()
                for number in range(ROUNDS):
                    with controller.action(f"k{turn}-{told}-{number}") as act:
                        act.settle("done")
                taken[told].append((time.perf_counter() - began) / ROUNDS * 1e6)
    internal._TRACER_PROVIDER = None
    telemetry.flush(10)
    provider.force_flush()
    seen = len(exporter.get_finished_spans())
    provider.shutdown()
    client.flushall()
    client.close()
    with_span, without = median(taken[True]), median(taken[False])
    note = f"{seen} spans exported, {telemetry.dropped()} dropped"
    return at_most_times(NAME, with_span, "µs", 1.3, "without a provider", without, note)
