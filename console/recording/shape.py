"""Which fields a record has and of what type: read off the records themselves, so that a new field is recorded too."""

from __future__ import annotations

import sys
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Final, NamedTuple, cast, get_args, get_origin, get_type_hints

from console.domain.board.checks import Checks
from console.domain.board.held import Held
from console.domain.canary.run import CanaryReading
from console.domain.experiment.record import ExperimentView
from console.domain.gates.facts import GateFacts
from console.domain.gates.rules import GateRules
from console.domain.guard.alerts import Alert, GuardReading
from console.domain.seen.looking import Looking
from console.domain.shadow.rates import FieldRate
from console.domain.shadow.report import DivergenceReading, ShadowReport
from console.domain.upgrade.reading import UpgradeReading
from console.domain.venue.deadman import Deadman

_NAMED: Final[dict[str, Any]] = {
    record.__name__: record
    for record in (
        Alert,
        CanaryReading,
        Checks,
        Deadman,
        DivergenceReading,
        ExperimentView,
        FieldRate,
        GateFacts,
        GateRules,
        GuardReading,
        Held,
        Looking,
        ShadowReport,
        UpgradeReading,
    )
}
"""What an annotation of what is recorded names, and its module imports for type checkers alone."""

REQUIRED: Final = object()


class Field(NamedTuple):
    """A field of a record.

    Args:
        name: its name.
        hint: its type, resolved.
        default: what it is where a recording lacks it; `REQUIRED` where it may not.
    """

    name: str
    hint: Any
    default: object


def made_of(kind: Any) -> Any:
    """The record itself, where a type says what a record of this type holds: `Fact[str]` is a `Fact`."""
    return get_origin(kind) or kind


def is_record(kind: object) -> bool:
    """Whether a type is a record: a named tuple, or a dataclass."""
    kind = made_of(kind)
    return isinstance(kind, type) and (is_dataclass(kind) or (issubclass(kind, tuple) and hasattr(kind, "_fields")))


def record_name(kind: Any) -> str:
    """What a record is called in a recording: its module in the domain, and its own name, which two may share."""
    kind = made_of(kind)
    return f"{kind.__module__.removeprefix('console.domain.')}:{kind.__qualname__}"


@cache
def fields_of(kind: Any) -> tuple[Field, ...]:
    """The fields of a record, in order.

    Args:
        kind: its type; of one that is generic, with what it holds.

    Raises:
        NameError: an annotation names what is neither in its module nor in `_NAMED`.
    """
    held, kind = get_args(kind), made_of(kind)
    hints = get_type_hints(kind, {**_NAMED, **vars(sys.modules[kind.__module__])})
    if held:
        hints = {name: hint[held] if getattr(hint, "__parameters__", ()) else hint for name, hint in hints.items()}
    if is_dataclass(kind):
        return tuple(
            Field(
                one.name,
                hints[one.name],
                one.default
                if one.default is not MISSING
                else one.default_factory()
                if one.default_factory is not MISSING
                else REQUIRED,
            )
            for one in fields(kind)
        )
    record = cast("Any", kind)
    return tuple(Field(name, hints[name], record._field_defaults.get(name, REQUIRED)) for name in record._fields)
