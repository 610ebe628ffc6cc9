"""Reading a file that somebody wrote: TOML, or JSON where its name ends so; all that is wrong with it in one error."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from console.documents.lines import lines_in_json, lines_in_toml
from console.domain.errors import UsageError
from console.domain.text import clean
from console.regular import read_regular

Model = TypeVar("Model", bound=BaseModel)


def read(
    path: Path, model: type[Model], most_bytes: int = 65_536, prepare: Callable[[Any], Any] = lambda values: values
) -> Model:
    """What a file says.

    Args:
        path: the file.
        model: of what it has to be.
        most_bytes: a longer one is none.
        prepare: what is made of its values before they are checked: defaults from elsewhere, say.

    Raises:
        UsageError: it can't be read, or something in it is missing, unknown or of another kind.
    """
    shown = clean(str(path), 120)
    try:
        raw = read_regular(path, most_bytes)
    except OSError as error:
        raise UsageError(f"{shown} can't be read: {error.strerror}.") from error
    as_json = path.suffix == ".json"
    try:
        text = raw.decode("utf-8-sig")
        values: Any = json.loads(text, parse_float=Decimal) if as_json else tomllib.loads(text, parse_float=Decimal)
    except RecursionError as error:
        raise UsageError(f"{shown} can't be read: it is nested too deeply.") from error
    except (UnicodeDecodeError, ValueError, ArithmeticError) as error:
        raise UsageError(f"{shown} can't be read: {clean(str(error), 120)}.") from error
    try:
        return model.model_validate(prepare(values))
    except ValidationError as error:
        raise UsageError(*_said(shown, text, as_json, model, error.errors(include_url=False))) from error


def _said(shown: str, text: str, as_json: bool, model: type[BaseModel], errors: list[ErrorDetails]) -> tuple[str, str]:
    paths = [tuple(error["loc"]) for error in errors]
    lines = (lines_in_json if as_json else lines_in_toml)(text, paths)
    told = sorted(
        (line, f"line {line}: {_wrong(error, path, model)}" if line else _wrong(error, path, model))
        for line, path, error in zip(lines, paths, errors, strict=True)
    )
    unknown = any(error["type"] == "extra_forbidden" for error in errors)
    hint = "`agent-console schema` knows all names." if unknown else ""
    return f"{shown}: " + "\n  ".join(text for _line, text in told), hint


def _name(path: tuple[str | int, ...]) -> str:
    """`settings.sigma`, `steps 2.share`: as people count."""
    text = ""
    for part in path:
        text += f" {part + 1}" if isinstance(part, int) else f".{clean(part, 40)}"
    return text.removeprefix(".")


def _wrong(error: ErrorDetails, path: tuple[str | int, ...], model: type[BaseModel]) -> str:
    kind, name = error["type"], _name(path)
    if kind == "missing":
        return f"{name} is missing"
    if kind == "extra_forbidden":
        names = _names_at(model, path[:-1])
        near = get_close_matches(str(path[-1]), names, n=1)
        return f"there is no {name}; " + (f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}")
    wanted = str(error["ctx"]["error"]) if kind == "value_error" else error["msg"].removeprefix("Input should be ")
    wanted = wanted.replace("greater than ", "above ")
    return f"{name} is {wanted[0].lower()}{wanted[1:]}, not {clean(str(error['input']), 20)!r}"


def _names_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """The names that a table of the document may have."""
    for part in path:
        if isinstance(part, str):
            fields = {field.alias or name: field for name, field in model.model_fields.items()}
            inner = _model_in(fields[part].annotation) if part in fields else None
            if inner is None:
                return []
            model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, alone, in a list, or where there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := _model_in(one)) is not None), None)
