"""Spans of actions, by the real SDK on a real store: what they say, whose child they are, and what they never do."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, StatusCode

from console.agent import AgentController, AuthenticationFailure, DefinitiveFailure, NotSent, StandBy
from console.agent.aio import AgentController as AsyncController
from console.agent.telemetry import beside, names
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from tests.agent.telemetry.sdk import FOLDER


@pytest.fixture(autouse=True)
def fence(valkey_sync: Any, keys: Keys) -> Fence:
    fence = Fence(valkey_sync, keys)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[TracerProvider]:
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield provider
    provider.shutdown()


@pytest.fixture
def told(provider: TracerProvider) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


@pytest.fixture
def blue(store_url: str, fence: Fence) -> Iterator[AgentController]:
    with AgentController(store_url, slot="blue", version="2.4.0") as controller:
        yield controller


def spans(told: InMemorySpanExporter) -> list[ReadableSpan]:
    assert beside.flush(30)
    return list(told.get_finished_spans())


def only(told: InMemorySpanExporter) -> ReadableSpan:
    (span,) = spans(told)
    return span


def context_of(span: ReadableSpan) -> SpanContext:
    assert span.context is not None
    return span.context


def test_an_action_is_a_span_from_its_claim_to_its_end_with_what_it_risked(
    blue: AgentController, told: InMemorySpanExporter
) -> None:
    with blue.action("secret-customer-17", amount=Decimal("1.50"), currency="USD") as act:
        act.settle("won", pnl=Decimal("0.10"))
    span = only(told)
    assert span.name == "action agent"
    assert dict(span.attributes or {}) == {
        "gen_ai.agent.name": "agent",
        "gen_ai.agent.version": "2.4.0",
        "agent_console.slot": "blue",
        "agent_console.instance": blue.instance,
        "agent_console.epoch": act.epoch,
        "agent_console.key.hash": act.provider_key.rpartition("-")[2],
        "agent_console.direction": "enter",
        "agent_console.amount": "1.50",
        "agent_console.currency": "USD",
        "agent_console.outcome": "ok",
        "agent_console.pnl": "0.10",
    }
    assert span.status.status_code is StatusCode.UNSET
    assert span.start_time and span.end_time and span.start_time < span.end_time
    assert "secret-customer" not in span.to_json()


@pytest.mark.parametrize(
    ("raised", "outcome", "status", "error"),
    [
        (DefinitiveFailure("no"), "fail", StatusCode.ERROR, "DefinitiveFailure"),
        (AuthenticationFailure("no"), "fail", StatusCode.ERROR, "AuthenticationFailure"),
        (NotSent("no"), "abort", StatusCode.UNSET, "NotSent"),
        (TimeoutError("secret-words"), "unknown", StatusCode.ERROR, "TimeoutError"),
        (KeyboardInterrupt(), "unknown", StatusCode.ERROR, "KeyboardInterrupt"),
        (None, "unknown", StatusCode.ERROR, "_OTHER"),
    ],
)
def test_the_span_ends_as_the_action_does_and_a_doubt_is_an_error(
    blue: AgentController,
    told: InMemorySpanExporter,
    raised: BaseException | None,
    outcome: str,
    status: StatusCode,
    error: str,
) -> None:
    try:
        with blue.action("bet-1"):
            if raised is not None:
                raise raised
    except BaseException as left:
        assert left is raised
    span = only(told)
    assert (span.attributes or {})["agent_console.outcome"] == outcome
    assert (span.attributes or {})["error.type"] == error
    assert span.status.status_code is status
    assert "secret-words" not in span.to_json()


def test_a_claim_that_is_not_granted_is_a_span_that_says_why(store_url: str, told: InMemorySpanExporter) -> None:
    with AgentController(store_url, slot="green", version="2.5.0") as green:
        with pytest.raises(StandBy), green.action("bet-1"):
            pytest.fail("it must not run")
        assert trace.get_current_span() is trace.INVALID_SPAN
    span = only(told)
    assert (span.attributes or {})["agent_console.outcome"] == names.REFUSED
    assert (span.attributes or {})["error.type"] == "StandBy"


def test_it_is_a_child_of_the_callers_span_and_the_parent_of_what_is_sent(
    blue: AgentController, provider: TracerProvider, told: InMemorySpanExporter
) -> None:
    tracer = provider.get_tracer("author")
    with tracer.start_as_current_span("round") as outer:
        with blue.action("bet-1") as act, tracer.start_as_current_span("POST /orders"):
            act.settle("won")
        assert trace.get_current_span() is outer
    by_name = {span.name: span for span in spans(told)}
    sent, action, round_ = (by_name[name] for name in ("POST /orders", "action agent", "round"))
    assert sent.parent is not None and action.parent is not None
    assert sent.parent.span_id == context_of(action).span_id
    assert action.parent.span_id == context_of(round_).span_id


async def test_tasks_of_one_asyncio_agent_have_each_their_own_parent(
    store_url: str, provider: TracerProvider, told: InMemorySpanExporter
) -> None:
    tracer = provider.get_tracer("author")

    async def work(controller: AsyncController, number: int) -> None:
        with tracer.start_as_current_span(f"round {number}") as outer:
            async with controller.action(f"bet-{number}") as act:
                await asyncio.sleep(0)
                await act.settle("won")
            assert trace.get_current_span() is outer

    async with AsyncController(store_url, slot="blue", version="2.4.0") as controller:
        await asyncio.gather(*(work(controller, number) for number in range(8)))
    ended = spans(told)
    parents = {context_of(span).span_id: span.name for span in ended}
    actions = [span for span in ended if span.name == "action agent"]
    assert sorted(parents[span.parent.span_id] for span in actions if span.parent) == [f"round {n}" for n in range(8)]


class _Raises(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        raise RuntimeError("the collector is on fire")


class _Hangs(SpanExporter):
    def __init__(self) -> None:
        self.let_go, self.reached = threading.Event(), threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.reached.set()
        self.let_go.wait(60)
        return SpanExportResult.SUCCESS


def test_an_exporter_that_hangs_delays_no_action_and_what_it_does_not_take_is_dropped(
    blue: AgentController, provider: TracerProvider, fence: Fence, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = _Hangs()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(beside, "MOST_WAITING", 3)
    before = beside.dropped()
    for number in range(8):  # each is over while the first one's export hangs
        with blue.action(f"bet-{number}") as act:
            act.settle("won")
        assert exporter.reached.wait(30)
    assert beside.dropped() - before == 4
    assert fence.open_claims() == []
    exporter.let_go.set()
    assert beside.flush(30)


def test_an_exporter_a_processor_or_a_sampler_that_raises_breaks_no_action(
    blue: AgentController, provider: TracerProvider, told: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.add_span_processor(SimpleSpanProcessor(_Raises()))
    with blue.action("bet-1") as act:
        act.settle("won")
    assert len(spans(told)) == 1

    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("no sampler")

    monkeypatch.setattr(provider.sampler, "should_sample", broken, raising=False)
    with blue.action("bet-2") as act:
        act.settle("won")
    assert act.settlement is not None
    assert len(spans(told)) == 1


def test_in_a_child_of_the_process_no_span_is_ended_a_second_time(
    blue: AgentController, told: InMemorySpanExporter
) -> None:
    act = blue.action("bet-1")
    act.__enter__()
    child = os.fork()
    if child == 0:
        os._exit(len(spans(told)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    act.settle("won")  # type: ignore[attr-defined]
    act.__exit__(None, None, None)
    assert len(spans(told)) == 1


ALONE = """
import sys
import threading
from console.agent import AgentController
with AgentController({url!r}, slot="blue", version="1") as controller:
    with controller.action("bet-1") as act:
        act.settle("won")
print(sorted(name for name in sys.modules if name.startswith("opentelemetry.sdk.trace")),
      "opentelemetry.trace" in sys.modules, [t.name for t in threading.enumerate() if t.name == "ac-telemetry"])
"""


@pytest.mark.parametrize("absent", [True, False])
def test_without_opentelemetry_or_a_provider_of_it_nothing_is_loaded_and_nothing_runs(
    store_url: str, absent: bool
) -> None:
    code = ALONE.format(url=store_url)
    env = os.environ | ({} if absent else {"PYTHONPATH": str(FOLDER)})
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=env)
    assert ran.stdout.strip() == f"[] {not absent} []", ran.stderr


EXPORTS = """
import time
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
class Exporter(SpanExporter):
    def export(self, spans):
        while {hangs}:
            time.sleep(1)
        print(*(span.name for span in spans), flush=True)
        return SpanExportResult.SUCCESS
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(Exporter()))
trace.set_tracer_provider(provider)
"""


@pytest.mark.long
@pytest.mark.parametrize("hangs", [False, True])
def test_the_end_of_the_process_waits_for_its_last_spans_and_for_no_exporter_that_hangs(
    store_url: str, hangs: bool
) -> None:
    code = EXPORTS.format(hangs=hangs) + ALONE.format(url=store_url).rpartition("print(")[0]
    env = os.environ | {"PYTHONPATH": str(FOLDER)}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=env)
    assert (ran.returncode, ran.stdout) == (0, "" if hangs else "action agent\n"), ran.stderr
