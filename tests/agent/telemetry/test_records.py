"""Log records of decisions and control events, and the table of every name that is used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import _logs, trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider

from console.agent import AgentController, DecisionLog
from console.agent.telemetry import beside, names
from console.domain.fence.claims import Level
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from tests import ROOT
from tests.waiting import until


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryLogRecordExporter]:
    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    monkeypatch.setattr(_logs._internal, "_LOGGER_PROVIDER", provider)
    yield exporter
    provider.shutdown()


def records(told: InMemoryLogRecordExporter) -> list[Any]:
    assert beside.flush(30)
    return [one.log_record for one in told.get_finished_logs()]


def test_a_decision_is_a_record_with_its_money_and_the_span_in_which_it_was_made(
    tmp_path: Path, told: InMemoryLogRecordExporter
) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="2.4.0", slot="green", instance="g1")
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("author")
    with tracer.start_as_current_span("round") as span:
        log.write(
            "bet",
            inputs={"password": "hunter2"},
            output={"action": "BET", "pnl": Decimal("-1.50"), "currency": "USD", "dry": False},
            reasoning="why",
            epoch=7,
            decision_id="d1",
            outcome="ok",
        )
    (record,) = records(told)
    assert record.event_name == names.DECISION_EVENT
    assert dict(record.attributes) == {
        "gen_ai.agent.version": "2.4.0",
        "agent_console.slot": "green",
        "agent_console.instance": "g1",
        "agent_console.epoch": 7,
        "agent_console.decision.type": "bet",
        "agent_console.decision.id": "d1",
        "agent_console.outcome": "ok",
        "agent_console.pnl": "-1.50",
        "agent_console.currency": "USD",
        "agent_console.dry": False,
    }
    assert record.span_id == span.get_span_context().span_id
    assert record.body == (tmp_path / "d.jsonl").read_text().rstrip("\n")
    assert "hunter2" not in record.body
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_value_that_no_text_can_be_made_of_loses_its_record_and_no_decision(
    tmp_path: Path, told: InMemoryLogRecordExporter
) -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("no words")

        __repr__ = __str__

    log = DecisionLog(tmp_path / "d.jsonl", version="2.4.0")
    log.write("bet", inputs=None, output={"pnl": Odd()}, reasoning="")
    log.write("bet", inputs=None, output="HOLD", reasoning="")
    assert len(records(told)) == 1
    assert len((tmp_path / "d.jsonl").read_text().splitlines()) == 2


def test_a_control_event_is_a_record_and_a_halt_a_warning(
    store_url: str, valkey_sync: Any, keys: Keys, told: InMemoryLogRecordExporter
) -> None:
    fence = Fence(valkey_sync, keys)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    with AgentController(store_url, slot="green", version="2.5.0") as green:
        fence.switch(SwitchRequest("green", expected_epoch=green.epoch, by="op"))
        fence.halt("mia", "the token is password=hunter2", level=Level.HALT)
        until(lambda: len(records(told)) == 2)
        switched, record = records(told)
        instance = green.instance
    assert switched.severity_number is SeverityNumber.INFO
    assert switched.attributes["agent_console.control.active"] == "green"
    assert record.event_name == names.CONTROL_EVENT
    assert record.severity_number is SeverityNumber.WARN
    attributes = dict(record.attributes)
    assert attributes.pop("agent_console.epoch") > 0
    assert attributes == {
        "gen_ai.agent.name": "agent",
        "agent_console.slot": "green",
        "agent_console.instance": instance,
        "agent_console.control.kind": "halt",
        "agent_console.control.phase": "HALT",
        "agent_console.control.by": "mia",
    }
    assert "hunter2" not in record.body


def test_the_page_names_every_attribute_that_is_used_and_no_other() -> None:
    page = (ROOT / "docs" / "opentelemetry.md").read_text("utf-8")
    table = page.partition("## Attributes")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^\| `([a-z_.]+)` \|", table, re.M)) == sorted(names.ATTRIBUTES)
    assert names.DECISION_EVENT in page
    assert names.CONTROL_EVENT in page
