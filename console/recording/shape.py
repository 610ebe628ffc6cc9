"""Which fields a record has and of what type: read off the records themselves, so that a new field is recorded too."""

from __future__ import annotations

import sys
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Final, NamedTuple, cast, get_type_hints

from console.domain.canary.run import CanaryReading
from console.domain.experiment.record import ExperimentView
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
        Deadman,
        DivergenceReading,
        ExperimentView,
        FieldRate,
        GuardReading,
        Looking,
        ShadowReport,
        UpgradeReading,
    )
}
"""What an annotation of the observation names, and its module imports for type checkers alone."""

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


def is_record(kind: object) -> bool:
    """Whether a type is a record: a named tuple, or a dataclass."""
    return isinstance(kind, type) and (is_dataclass(kind) or (issubclass(kind, tuple) and hasattr(kind, "_fields")))


def record_name(kind: type) -> str:
    """What a record is called in a recording: its module in the domain, and its own name, which two may share."""
    return f"{kind.__module__.removeprefix('console.domain.')}:{kind.__qualname__}"


@cache
def fields_of(kind: type) -> tuple[Field, ...]:
    """The fields of a record, in order.

    Raises:
        NameError: an annotation names what is neither in its module nor in `_NAMED`.
    """
    hints = get_type_hints(kind, {**_NAMED, **vars(sys.modules[kind.__module__])})
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
