"""The shape of every `--json`, from the records that are printed: for `docs/json.md`, and to hold real output against.

A record's fields are its keys; what each means stands in the `Args:` of its class.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, NamedTuple, Union, get_args, get_origin, get_type_hints

from console.cli.acl import AclReport
from console.cli.config import Files, Setting
from console.cli.fleet import HaltedAgent
from console.cli.record import RecordReport
from console.cli.report import FailureReport
from console.cli.store import NoStore, RunningStore, StoppedStore
from console.cli.upgrade import UpgradeFile
from console.commands import catalogue
from console.commands.base import Query
from console.domain.document import FORM, KEY
from console.domain.guard.alerts import Alert
from console.domain.rehearsal.report import RehearsalReport
from console.guard.replay.report import BacktestReport
from console.guard.report.agent import AgentReport
from console.guard.report.deadman import DeadmanDrill
from console.guard.report.drill import DrillReport
from console.guard.report.fleet import FleetReport
from console.views.canary.plan import MeasuredPlan, PlanReport
from console.views.canary.record import CanaryRecord
from console.views.doctor import DoctorReport
from console.views.experiment_record import ExperimentDocument, UnreadableExperiment
from console.views.fleet.report import FleetDocument
from console.views.gates.plans import PlanRow
from console.views.receipts import AuditReport, ReceiptReport
from console.views.snapshots import (
    DamagedSnapshot,
    ExportedSnapshot,
    KeptSnapshot,
    ListedSnapshot,
    MigrationStep,
    SnapshotDifference,
    VerifiedSnapshot,
)
from console.views.status.report import StatusReport
from console.views.upgrade import UpgradeReport

_ANSWERS: Final[dict[str, Any]] = {
    "acl": AclReport,
    "approve": list[PlanRow] | ReceiptReport,
    "audit": list[AuditReport],
    "record": RecordReport,
    "backtest": BacktestReport,
    "backtest --sweep": list[BacktestReport],
    "canary plan": PlanReport | MeasuredPlan,
    "canary show": CanaryRecord | None,
    "config path": Files,
    "config show": Mapping[str, Setting],
    "doctor": DoctorReport,
    "drill": DrillReport,
    "drill deadman": DeadmanDrill,
    "experiment show": list[ExperimentDocument | UnreadableExperiment],
    "experiment show NAME": ExperimentDocument | UnreadableExperiment,
    "export --format json": StatusReport,
    "fleet": FleetDocument,
    "fleet halt": list[HaltedAgent],
    "guard ack": list[Alert],
    "guard set": ReceiptReport,
    "guard status": AgentReport,
    "guard status --all": FleetReport,
    "rehearse": RehearsalReport,
    "snapshot diff": list[SnapshotDifference],
    "snapshot export": ExportedSnapshot,
    "snapshot list": list[ListedSnapshot | DamagedSnapshot | KeptSnapshot],
    "snapshot verify": VerifiedSnapshot,
    "state migrate": list[MigrationStep],
    "status": StatusReport,
    "store start": RunningStore,
    "store status": RunningStore | NoStore,
    "store stop": StoppedStore,
    "upgrade go": UpgradeReport,
    "upgrade report": UpgradeFile,
    "upgrade verify": UpgradeFile,
}
"""What the verbs print that the catalogue doesn't declare: its commands print a receipt, its queries say what."""

ERROR: Final[Any] = FailureReport
"""What any verb prints that could not do what was asked."""


class Key(NamedTuple):
    """One key of a record.

    Args:
        name: in the document.
        kind: the type of its value.
        meaning: for people; empty where its class does not say.
    """

    name: str
    kind: Any
    meaning: str


def answers() -> dict[str, Any]:
    """Verb → the type of what it prints."""
    declared = {
        command.info.name: command.shape() if isinstance(command, Query) else ReceiptReport
        for command in catalogue.commands()
    }
    return dict(sorted({**declared, **_ANSWERS}.items()))


@cache
def keys(record: type) -> tuple[Key, ...]:
    """The keys of a record, in their order."""
    kinds = get_type_hints(record, localns=_imported_for_types(sys.modules[record.__module__]))
    meanings = _meanings(record)
    if not is_dataclass(record):
        names = getattr(record, "_fields", ())
        return tuple(Key(name, kinds[name], meanings.get(name, "")) for name in names)
    return tuple(
        Key(name, _formed(field.metadata.get(FORM), kinds[field.name]), meanings.get(field.name, ""))
        for field in fields(record)
        if (name := field.metadata.get(KEY, field.name))
    )


def _formed(form: Any, kind: Any) -> Any:
    """What a field's form makes of it, where that is another type."""
    if form is None or kind is not float:
        return kind
    return get_type_hints(form)["return"]


@cache
def _imported_for_types(module: Any) -> dict[str, Any]:
    """What a module imports for its annotations alone."""
    names: dict[str, Any] = {}
    _, _, block = inspect.getsource(module).partition("\nif TYPE_CHECKING:\n")
    for source, imported in re.findall(r"^    from (console[\w.]*) import (\([^)]*\)|.*)$", block, re.MULTILINE):
        for name in re.findall(r"\w+", imported):
            names[name] = getattr(importlib.import_module(source), name)
    return names


def _meanings(record: type) -> dict[str, str]:
    """Field → what its class says of it; what a class does not say, its base may."""
    meanings: dict[str, str] = {}
    for cls in reversed(record.__mro__):
        _, _, args = inspect.cleandoc(cls.__doc__ or "").partition("\nArgs:\n")
        for entry in re.findall(r"^    (\w[\w, ]*): (.+(?:\n {5,}.+)*)", args, re.MULTILINE):
            meanings |= {name: " ".join(entry[1].split()) for name in entry[0].split(", ")}
    return meanings


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and (is_dataclass(kind) or hasattr(kind, "_fields"))


def problems(value: Any, kind: Any, at: str = "$") -> list[str]:
    """What in a value from JSON is not as its type says; keys that are missing, and keys that nobody documented."""
    tried = [_mismatch(value, getattr(one, "__supertype__", one), at) for one in _alternatives(kind)]
    return min(tried, key=len)


def _mismatch(value: Any, kind: Any, at: str) -> list[str]:
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return []
    if _is_record(kind):
        return _record_mismatch(value, kind, at)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            return [f"{at}: no object"]
        return [problem for name, one in value.items() for problem in problems(one, inner[1], f"{at}.{name}")]
    if isinstance(origin, type) and issubclass(origin, Sequence):
        if not isinstance(value, list):
            return [f"{at}: no list"]
        return [problem for i, one in enumerate(value) for problem in problems(one, inner[0], f"{at}[{i}]")]
    return [] if _is_plain(value, kind) else [f"{at}: {value!r} is no {kind}"]


def _record_mismatch(value: Any, record: type, at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at}: no object"]
    names = [key.name for key in keys(record)]
    if list(value) != names:
        return [f"{at}: {name}" for name in {*value} ^ {*names}] or [f"{at}: another order"]
    return [problem for key in keys(record) for problem in problems(value[key.name], key.kind, f"{at}.{key.name}")]


def _is_plain(value: Any, kind: Any) -> bool:
    if issubclass(kind, Enum):
        return value in [one.value for one in kind]
    if kind is datetime:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    if kind is Decimal:
        return isinstance(value, str) and Decimal(value) is not None
    if kind is float:
        return type(value) in (int, float)
    return type(value) is (str if issubclass(kind, str) else kind)


def records(kinds: Sequence[Any]) -> list[type]:
    """Every record within types, each once, in the order in which a reader meets them."""
    met: dict[type, None] = {}

    def walk(kind: Any) -> None:
        for one in _alternatives(kind):
            if _is_record(one) and one not in met:
                met[one] = None
                for key in keys(one):
                    walk(key.kind)
            for inner in get_args(one):
                walk(inner)

    for kind in kinds:
        walk(kind)
    return list(met)


def shapes_section() -> str:
    """What every verb prints, and every record in it."""
    printed = answers()
    known = records([*printed.values(), ERROR])
    lines = ["| verb | prints |", "|---|---|"]
    lines += [f"| `{verb}` | {_words(kind)} |" for verb, kind in printed.items()]
    for record in known:
        lines += ["", *_described(record)]
    return "\n".join(lines)


def _described(record: type) -> Iterator[str]:
    yield f"### {record.__name__}"
    yield ""
    yield inspect.cleandoc(record.__doc__ or "").partition("\n\n")[0].replace("\n", " ")
    yield ""
    yield "| key | value | meaning |"
    yield "|---|---|---|"
    for key in keys(record):
        yield f"| `{key.name}` | {_words(key.kind)} | {key.meaning.replace('None', 'null')} |"


def _words(kind: Any) -> str:
    return " or ".join(_word(one) for one in sorted(_alternatives(kind), key=lambda one: one is NoneType))


def _word(kind: Any) -> str:
    kind = getattr(kind, "__supertype__", kind)
    origin, inner = get_origin(kind), get_args(kind)
    if _is_record(kind):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"object: by name, {_words(inner[1])}"
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return f"list of {_words(inner[0])}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(f"`{one.value}`" for one in kind)
    names = {
        NoneType: "null",
        bool: "`true` or `false`",
        int: "whole number",
        float: "number",
        datetime: "time",
        Decimal: "amount",
        Any: "anything",
    }
    return names.get(kind, "text")
