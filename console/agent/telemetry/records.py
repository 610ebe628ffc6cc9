"""A log record for each decision that is recorded, and for each control event that is heard."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from console import __version__
from console.agent.telemetry.beside import api as installed
from console.agent.telemetry.beside import at_exit, failed, put
from console.agent.telemetry.names import (
    ACTIVE,
    AGENT,
    BY,
    CONTROL_EVENT,
    CURRENCY,
    DECISION_EVENT,
    DRY,
    EPOCH,
    ID,
    INSTANCE,
    KIND,
    OUTCOME,
    PHASE,
    PNL,
    SCOPE,
    SLOT,
    TYPE,
    VERSION,
)
from console.domain.secrets import without_secrets

MOST_BODY: Final = 16 * 1024
"""Of a record's text."""


def decision(body: Mapping[str, Any], line: bytes) -> None:
    """Tell of a decision that was recorded; never raises.

    Args:
        body: the record's fields.
        line: as it was written, without secrets.
    """

    def attributes() -> dict[str, Any]:
        output = body["output"] if isinstance(body["output"], dict) else {}
        return {
            VERSION: body["agent_version"],
            SLOT: body["slot"],
            INSTANCE: body["instance"],
            EPOCH: body["epoch"],
            TYPE: body["decision_type"],
            ID: body["decision_id"],
            OUTCOME: body["outcome"],
            PNL: output.get("pnl"),
            CURRENCY: output.get("currency"),
            DRY: output.get("dry"),
        }

    _emit(DECISION_EVENT, lambda: line[:MOST_BODY].decode("utf-8", "replace").rstrip("\n"), attributes)


def control(event: Mapping[str, str], agent: str, slot: str, instance: str) -> None:
    """Tell of a control event that this instance has heard; never raises.

    Args:
        event: its fields.
        agent, slot, instance: who has heard it.
    """

    def attributes() -> dict[str, Any]:
        epoch = event.get("ep", "")
        return {
            AGENT: agent,
            SLOT: slot,
            INSTANCE: instance,
            KIND: event.get("k"),
            EPOCH: int(epoch) if epoch.isdecimal() else None,
            ACTIVE: event.get("act"),
            PHASE: event.get("ph"),
            BY: event.get("by"),
        }

    grave = event.get("ph") == "HALT"
    _emit(CONTROL_EVENT, lambda: without_secrets(event.get("why", ""))[:MOST_BODY], attributes, grave=grave)


def _emit(name: str, body: Callable[[], str], attributes: Callable[[], dict[str, Any]], *, grave: bool = False) -> None:
    api = installed()
    if api is None:
        return
    try:
        provider = api.logs.get_logger_provider()
        if type(provider).__name__ == "ProxyLoggerProvider":  # nobody has set one; it has no public name
            return
        at_exit()
        context, at_ns, fields = api.context.get_current(), time.time_ns(), attributes()
    except Exception as error:  # noqa: BLE001 - as above
        failed(error)
        return

    def emit() -> None:
        severity = api.logs.SeverityNumber.WARN if grave else api.logs.SeverityNumber.INFO
        record = api.logs.LogRecord(
            timestamp=at_ns,
            observed_timestamp=at_ns,
            context=context,
            severity_number=severity,
            severity_text=severity.name,
            body=body(),
            attributes={key: _plain(value) for key, value in fields.items() if value not in (None, "")},
            event_name=name,
        )
        provider.get_logger(SCOPE, __version__).emit(record)

    put(emit)


def _plain(value: Any) -> str | bool | int:
    """A value that an attribute can have; money keeps its digits as text."""
    return value if isinstance(value, bool | int) else str(value)[:1024]
