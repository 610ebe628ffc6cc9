"""Values of every type that a frame can hold, made from the types themselves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from hypothesis import strategies as st

from console.domain.gates.fact import Fact, Lack, known, lacking
from console.domain.text import Safe, clean
from console.recording.frame import Frame
from console.recording.plans import judged_then
from console.recording.shape import fields_of, is_record, made_of
from tests.scenarios import NAMES, boards, observation

_TEXTS = st.text(max_size=12).map(lambda text: str(clean(text, 400)))
_LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: _TEXTS,
    Safe: _TEXTS,
    int: st.integers(-(2**70), 2**70),
    bool: st.booleans(),
    bytes: st.binary(max_size=12),
    float: st.floats(),
    datetime: st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda at: at.replace(fold=0, tzinfo=UTC)),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False).filter(lambda one: abs(one.adjusted()) <= 4000),
    object: st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
        max_leaves=4,
    ),
}


def records() -> tuple[type, ...]:
    """Every record that a frame can hold, the observation and the boards among them."""
    reached: dict[type, None] = {}

    def walk(hint: Any) -> None:
        if is_record(hint) and hint not in reached:
            reached[hint] = None
            for one in fields_of(hint):
                walk(one.hint)
        for inner in get_args(hint):
            walk(inner)

    walk(Frame)
    return tuple(reached)


def _examples() -> dict[type, list[Any]]:
    """Records as the scenarios hold them, for those that refuse what makes no sense."""
    there: dict[type, list[Any]] = {}

    def walk(value: Any) -> None:
        if is_record(type(value)):
            there.setdefault(type(value), []).append(value)
            for one in fields_of(type(value)):
                walk(getattr(value, one.name))
        elif isinstance(value, Mapping):
            for inner in value.values():
                walk(inner)
        elif isinstance(value, tuple | frozenset):
            for inner in value:
                walk(inner)

    for name in NAMES:
        walk(observation(name))
    for name in BOARDS:
        walk(boards.seen(name))
    return there


BOARDS = ("draining-version", "nothing-held", "blocked", "after-switch", "unread")
EXAMPLES = _examples()


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type."""
    if hint in _LEAVES:
        return _LEAVES[hint]
    if made_of(hint) is Fact:
        there = st.builds(known, _TEXTS, _LEAVES[datetime], values_of(get_args(hint)[0]))
        return there | st.builds(lacking, _TEXTS, _LEAVES[datetime], st.sampled_from(Lack), _TEXTS)
    if is_record(hint):
        if "__post_init__" in vars(hint):
            return st.sampled_from(EXAMPLES[hint])
        made = {one.name: st.deferred(lambda one=one: values_of(one.hint)) for one in fields_of(hint)}
        return st.builds(hint, **made)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return st.one_of(*(st.none() if one is NoneType else values_of(one) for one in inner))
    if origin is tuple and inner[-1] is Ellipsis:
        return st.lists(values_of(inner[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values_of, inner))
    if origin is Callable:
        return st.just(judged_then)
    if origin is frozenset:
        return st.frozensets(values_of(inner[0]), max_size=3)
    return st.dictionaries(values_of(inner[0]), values_of(inner[1]), max_size=3).map(MappingProxyType)


def written(value: Any) -> str:
    """A value as text, in which NaN is NaN, and 1.0 is not 1.00; a mapping is one, frozen or not. Text, which need not
    be safe in a record, is written in its safe form."""
    if is_record(type(value)):
        names = [one.name for one in fields_of(type(value))]
        return f"{type(value).__name__}({', '.join(written(getattr(value, name)) for name in names)})"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key!r}: {written(one)}' for key, one in value.items())}}}"
    if isinstance(value, tuple):
        return f"({', '.join(map(written, value))})"
    if callable(value):
        return "judges"
    if isinstance(value, frozenset):
        return f"<{', '.join(sorted(map(written, value)))}>"
    return repr(str(clean(value, 65_536)) if isinstance(value, str) and not isinstance(value, Enum) else value)


def changed(record: Any, name: str, value: Any) -> Any:
    """A record with one field changed."""
    return (
        record._replace(**{name: value}) if isinstance(record, tuple) else dataclasses.replace(record, **{name: value})
    )
