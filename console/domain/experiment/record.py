"""An experiment as the store keeps it: its definition, where it stands, and what the agent that runs it says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from math import inf, isfinite
from typing import Any, Final, NamedTuple

from console.domain.canary.text import settings_document
from console.domain.document import exact, record_from
from console.domain.errors import UsageError
from console.domain.experiment.trial import Experiment, ExperimentReading, ExperimentVerdict
from console.domain.statistics.evidence import Settings
from console.domain.text import Safe, clean
from console.domain.untrusted import real, whole

MAX_BYTES: Final = 16_384
MAX_EXPERIMENTS: Final = 200


class ExperimentState(StrEnum):
    """Where an experiment stands."""

    DEFINED = "DEFINED"
    """Written down; every unit gets what the flag says."""
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    """No unit is assigned any more; the evidence stays."""
    ADOPTED = "ADOPTED"
    """One value became the flag's, the other was retired."""


class ExperimentRecord(NamedTuple):
    """One experiment.

    Args:
        experiment: frozen when it was defined.
        state: where it stands.
        revision: counts its changes; each change names the one it was decided on.
        capital: that both arms share evenly, in `currency`.
        currency: of the capital, and of every result.
        changed_at: the server's time of the last change.
        winner: the value that was adopted; empty while none was.
        by, why: who changed it last, and the reason.
    """

    experiment: Experiment
    state: ExperimentState
    revision: int
    capital: Decimal
    currency: Safe
    changed_at: datetime
    winner: str = ""
    by: Safe = Safe("")
    why: Safe = Safe("")

    @property
    def name(self) -> str:
        """The experiment's."""
        return self.experiment.name


class ExperimentReport(NamedTuple):
    """What the agent that runs an experiment said last.

    Args:
        at: when; aware UTC.
        holder: the agent's instance.
        reading: the verdict and what it rests on.
        money_a, money_b: won or lost by either arm, exact.
        refused: rounds refused for want of capital.
    """

    at: datetime
    holder: Safe
    reading: ExperimentReading
    money_a: Decimal
    money_b: Decimal
    refused: int = 0


class ExperimentView(NamedTuple):
    """An experiment with what is known of its rounds; where it can't be read, nothing but `problem` holds.

    Args:
        name: the experiment's.
        record: None where it can't be read.
        report: None before its agent has said anything, and where that can't be read.
        problem: why it, or what its agent says, can't be read; empty where both can.
    """

    name: Safe
    record: ExperimentRecord | None
    report: ExperimentReport | None = None
    problem: Safe = Safe("")


def record_text(record: ExperimentRecord) -> str:
    """The record as it is stored, without its revision, which the store counts."""
    experiment = record.experiment
    return json.dumps(
        {
            **asdict(experiment),
            "settings": settings_document(experiment.settings),
            "state": record.state.value,
            "capital": str(record.capital),
            "currency": record.currency,
            "winner": record.winner,
            "by": record.by,
            "why": record.why,
            "changed_at": record.changed_at.isoformat(),
        },
        separators=(",", ":"),
    )


def read_record(stored: str) -> ExperimentRecord:
    """A record from "revision\\ndocument".

    Raises:
        UsageError: it is none.
    """
    head, _, body = stored.partition("\n")
    if not (head.isascii() and head.isdigit() and len(head) < 16) or len(body) > MAX_BYTES:
        raise UsageError("It has no revision, or is too long.")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError("It is not JSON.") from error
    if not isinstance(document, Mapping) or document.get("state") not in set(ExperimentState):
        raise UsageError("It has no state.")
    try:
        changed_at = datetime.fromisoformat(str(document.get("changed_at")))
    except ValueError as error:
        raise UsageError("It says no time.") from error
    rounds = document.get("rounds_each")
    if type(rounds) is not int:
        raise UsageError("It says no number of rounds.")
    name, flag, a, b, cluster = (str(document.get(field, "")) for field in ("name", "flag", "a", "b", "cluster"))
    return ExperimentRecord(
        experiment=Experiment(name, flag, a, b, record_from(Settings, document.get("settings")), rounds, cluster),
        state=ExperimentState(document["state"]),
        revision=int(head),
        capital=exact(document.get("capital"), "capital"),
        currency=clean(document.get("currency", ""), 16),
        changed_at=changed_at if changed_at.tzinfo else changed_at.replace(tzinfo=UTC),
        winner=str(clean(document.get("winner", ""), 256)),
        by=clean(document.get("by", ""), 128),
        why=clean(document.get("why", "")),
    )


def report_text(report: ExperimentReport, state: object = None) -> str:
    """A report as it is stored; `state` is what its agent wants back after a restart."""
    reading = asdict(report.reading)
    finite = {
        name: (value if not isinstance(value, float) or isfinite(value) else None) for name, value in reading.items()
    }
    document = {
        "at": report.at.isoformat(),
        "holder": report.holder,
        "money_a": str(report.money_a),
        "money_b": str(report.money_b),
        "refused": report.refused,
        "reading": finite,
        "state": state,
    }
    return json.dumps(document, separators=(",", ":"))


def read_report(stored: str) -> ExperimentReport | None:
    """A report; None where it can't be read, which counts as if nothing had been said."""
    try:
        document = json.loads(stored)
        at = datetime.fromisoformat(document["at"])
        reading = document["reading"]
        if not at.tzinfo or reading["verdict"] not in set(ExperimentVerdict):
            return None
        money = (exact(document["money_a"], "money"), exact(document["money_b"], "money"))
        holder, refused = clean(document.get("holder", ""), 64), whole(document.get("refused"))
        return ExperimentReport(at, holder, _reading_from(reading), *money, refused)
    except (ValueError, KeyError, TypeError, RecursionError, UsageError):
        return None


def _reading_from(reading: Mapping[str, Any]) -> ExperimentReading:
    def number(name: str, missing: float) -> float:
        value = real(reading.get(name))
        return missing if value is None else value

    needed, clusters = reading.get("rounds_needed"), reading.get("clusters")
    pair = clusters if isinstance(clusters, list) and len(clusters) == 2 else None
    return ExperimentReading(
        verdict=ExperimentVerdict(reading["verdict"]),
        rounds_a=whole(reading.get("rounds_a")),
        rounds_b=whole(reading.get("rounds_b")),
        estimate=number("estimate", 0.0),
        lower=number("lower", -inf),
        upper=number("upper", inf),
        hidden_a=number("hidden_a", inf),
        hidden_b=number("hidden_b", inf),
        ratio_alarm=reading.get("ratio_alarm") is True,
        due=reading.get("due") is True,
        rounds_needed=whole(needed) if needed is not None else None,
        clusters=None if pair is None else (whole(pair[0]), whole(pair[1])),
        left_out=whole(reading.get("left_out")),
        known_before=whole(reading.get("known_before")),
        reduction=number("reduction", 0.0),
    )
