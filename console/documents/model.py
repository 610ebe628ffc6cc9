"""Models made of the records that the rules use: each field, its default and its meaning stand there, and only
there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from inspect import getdoc
from math import inf, isfinite
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    create_model,
)

from console.domain.text import clean

LARGEST: Final = 30
"""Digits before and behind the point that an amount may have: beyond them it is a slip, or an attack."""


def _finite(value: object) -> object:
    number = inf
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        with suppress(OverflowError):  # of a whole number with hundreds of digits
            number = float(value)
    if not isfinite(number):
        raise ValueError("a finite number")
    return number


def _exact(value: object) -> object:
    amount = Decimal("NaN")
    if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool):
        with suppress(InvalidOperation):
            amount = Decimal(str(value))
    if not amount.is_finite() or (amount and abs(amount.adjusted()) > LARGEST):
        raise ValueError('an amount like "60" or 0.05, of a size that money has')
    return amount


Number = Annotated[float, BeforeValidator(_finite)]
Amount = Annotated[Decimal, BeforeValidator(_exact)]


def plain_text(most: int) -> AfterValidator:
    """Of a text that can be shown as it is: at least one character, none that a terminal obeys."""

    def plain(value: str) -> str:
        if not 0 < len(value) <= most or clean(value, most) != value:
            raise ValueError(f"a text of 1 to {most} plain characters")
        return value

    return AfterValidator(plain)


class Document(BaseModel):
    """What every model of a file has: no other names than its own, and nothing taken for what it is not."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


_MODELS: dict[type, type[Document]] = {}


def model_of(record: type, **more: Any) -> type[Document]:
    """The model of a dataclass: the same fields, defaults and, as descriptions, what its docstring says of them.

    Args:
        record: whose fields hold amounts, numbers, texts, enumerations, and further dataclasses, alone or in tuples.
        more: further fields, as `pydantic.create_model` takes them; they come first.
    """
    if record not in _MODELS or more:
        meanings, hints = meanings_of(record), get_type_hints(record)
        own: dict[str, Any] = {}
        for field in fields(record):
            default = field.default if field.default is not MISSING else field.default_factory
            options: dict[str, Any] = {"description": meanings.get(field.name)}
            if default is not MISSING:
                options |= {"default": default} if field.default is not MISSING else {"default_factory": default}
            own[field.name] = (type_of(hints[field.name]), Field(**options))
        doc = (getdoc(record) or "").partition("\n")[0]
        model = create_model(record.__name__, __base__=Document, __doc__=doc, **{**more, **own})
        if more:
            return model
        _MODELS[record] = model
    return _MODELS[record]


def meanings_of(record: type) -> Mapping[str, str]:
    """What the docstring of a class says of its fields, under `Args:`."""
    section = re.search(r"Args:\n(.*?)(?:\n\S|\n\nRaises:|\Z)", getdoc(record) or "", re.DOTALL)
    meanings: dict[str, str] = {}
    for names, meaning in re.findall(
        r"^    ([\w, ]+): (.*(?:\n {8,}.*)*)", section[1] if section else "", re.MULTILINE
    ):
        meanings.update(dict.fromkeys(names.split(", "), " ".join(meaning.split())))
    return meanings


def type_of(hint: Any) -> Any:
    """The strict type for a field of a record."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (kind,) = (one for one in inner if one is not NoneType)
        return type_of(kind) | None
    if origin in (tuple, frozenset):
        return Annotated[
            origin[(type_of(inner[0]), ...) if origin is tuple else type_of(inner[0])], Field(strict=False)
        ]
    if is_dataclass(hint) and isinstance(hint, type):
        return model_of(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Annotated[hint, Field(strict=False)]
    return {Decimal: Amount, float: Number, int: StrictInt, bool: StrictBool}.get(hint, StrictStr)


def record_of(record: type[Any], model: BaseModel) -> Any:
    """The record that a model holds; further fields of the model are left out.

    Raises:
        UsageError: it breaks a rule of the record's.
    """
    return record(**{field.name: _value(getattr(model, field.name), hint) for field, hint in _typed(record)})


def _typed(record: type[Any]) -> list[tuple[Any, Any]]:
    hints = get_type_hints(record)
    return [(field, hints[field.name]) for field in fields(record)]


def _value(value: Any, hint: Any) -> Any:
    if isinstance(value, BaseModel):
        return record_of(hint, value)
    if isinstance(value, tuple):
        return tuple(_value(item, get_args(hint)[0]) for item in value)
    return value
