"""The shape in which lines are decoded fast: structs, built from the configured paths, of just what statistics need.

What else a line holds is skipped by the decoder without becoming an object. A line that does not fit the shape is no
error yet: it is read again by the careful way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec

from console.logs.options import LogOptions


class Row(NamedTuple):
    """What statistics need of one accepted line.

    Args:
        version: `agent_version`; a whole number may stay one.
        time_s: its timestamp, epoch seconds; as it is decoded first, in whatever form it is stated.
        kind: `decision_type`.
        amount: its PnL, where it states one.
        currency, dry: as stated.
        latency_ms: as stated, in whatever range.
        slot: as stated.
    """

    version: str | int
    time_s: float
    kind: str
    amount: Decimal | None = None
    currency: str | None = None
    dry: bool | None = None
    latency_ms: float | None = None
    slot: str | None = None


_MANDATORY: Final = {
    "agent_version": ("version", str | int),
    "timestamp": ("time_s", float | str),
    "decision_type": ("kind", str),
}
_OPTIONAL: Final = {
    "amount": Decimal | None,
    "currency": str | None,
    "dry": bool | None,
    "latency_ms": float | None,
    "slot": str | None,
}
"""Row's fields in the order of `LogOptions.paths`."""
MANDATORY: Final = frozenset(_MANDATORY)
_ANYTHING_ELSE: Final = str | float | int | bool | list[msgspec.Raw] | None
"""What may stand where an object was expected; there is nothing to be columns in it, then."""


class Shape:
    """Decodes lines into records, and lists of records into columns.

    Args:
        options: the paths.

    Raises:
        Unshapely: the paths cross each other.
    """

    def __init__(self, options: LogOptions) -> None:
        tree: _Tree = {name: _Leaf(field, type_) for name, (field, type_) in _MANDATORY.items()}
        for path, (field, type_) in zip(options.paths, _OPTIONAL.items(), strict=True):
            if path:
                _plant(tree, path.split("."), _Leaf(field, type_))
        nodes: _Nodes = {}
        self.decode: Callable[[bytes], Any] = msgspec.json.Decoder(_struct(tree, (), nodes)).decode
        """One line to one record; raises MsgspecError, ValueError or RecursionError where it does not fit."""
        self._parents = [_finder(path.split(".")[:-1], nodes) if path else _nothing for path in options.paths]

    def columns(self, records: Sequence[Any]) -> tuple[list[Any], ...]:
        """The columns of records, in the order of Row's fields."""
        columns: _Columns = {}
        amount, currency, dry, latency, slot = [parents(records, columns) for parents in self._parents]
        return (
            [record.version for record in records],
            [record.time_s for record in records],
            [record.kind for record in records],
            [parent.amount for parent in amount],
            [parent.currency for parent in currency],
            [parent.dry for parent in dry],
            [parent.latency_ms for parent in latency],
            [parent.slot for parent in slot],
        )

    def row(self, record: Any) -> Row:
        """One record as a row."""
        return Row(*(column[0] for column in self.columns((record,))))


class Unshapely(Exception):  # noqa: N818 - a fact about the paths
    """Paths cross each other, so that no one shape holds them all."""


class _Leaf(NamedTuple):
    field: str
    type: Any


_Tree = dict[str, Any]
_Path = tuple[str, ...]
_Nodes = dict[_Path, tuple[str, type]]
"""Objects on the way to values, by path: the attribute that holds each in its parent, and the struct that it is."""


def _plant(tree: _Tree, names: list[str], leaf: _Leaf) -> None:
    for name in names[:-1]:
        tree = tree.setdefault(name, {})
        if not isinstance(tree, dict):
            raise Unshapely
    if names[-1] in tree:
        raise Unshapely
    tree[names[-1]] = leaf


def _struct(tree: _Tree, at: _Path, nodes: _Nodes) -> type:
    fields: list[Any] = []
    names: dict[str, str] = {}
    for number, (name, below) in enumerate(tree.items()):
        if isinstance(below, _Leaf):
            names[below.field] = name
            fields.append((below.field, below.type) if name in MANDATORY and not at else (*below, None))
        else:
            inner = _struct(below, (*at, name), nodes)
            nodes[*at, name] = f"inner_{number}", inner
            names[f"inner_{number}"] = name
            fields.append((f"inner_{number}", inner | _ANYTHING_ELSE, None))
    return msgspec.defstruct("Record", fields, rename=names, gc=False)


_Columns = dict[_Path, list[Any]]
_Finder = Callable[[Sequence[Any], _Columns], Sequence[Any]]


def _finder(path: Sequence[str], nodes: _Nodes) -> _Finder:
    """A function that takes the objects at a path out of records; what several paths share is looked up once."""
    if not path:
        return _records
    at = tuple(path)
    attribute, struct = nodes[at]
    parents, get, empty = _finder(path[:-1], nodes), attrgetter(attribute), struct()

    def find(records: Sequence[Any], columns: _Columns) -> list[Any]:
        column = columns.get(at)
        if column is None:
            column = list(map(get, parents(records, columns)))
            if set(map(type, column)) != {struct}:
                column = [value if type(value) is struct else empty for value in column]
            columns[at] = column
        return column

    return find


def _records(records: Sequence[Any], columns: _Columns) -> Sequence[Any]:
    return records


def _nothing(records: Sequence[Any], columns: _Columns) -> Sequence[Any]:
    """For an empty path: a row without values in place of each record."""
    return [_EMPTY] * len(records)


_EMPTY: Final = Row("", 0.0, "")
