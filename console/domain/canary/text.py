"""A canary's plan as plain JSON values, and back: what the store keeps, what `--json` shows, what a plan file holds.

Reading is strict: a plan decides how much money is at risk, so a missing, an unknown or a misspelt value is an error
and never a default that nobody chose.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, Final

from console.domain.canary.plan import Mode, Plan, Step
from console.domain.errors import UsageError
from console.domain.statistics.evidence import Form, Settings
from console.domain.text import clean

MAX_STEPS: Final = 20
MAX_BYTES: Final = 65_536


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as plain JSON values; amounts and shares are exact texts."""
    document: dict[str, Any] = asdict(plan)
    document["steps"] = [
        {**step, "share": str(step["share"]), "loss_budget": str(step["loss_budget"])} for step in document["steps"]
    ]
    document["mode"] = plan.mode.value
    document["settings"] = settings_document(plan.settings)
    return document


def settings_document(settings: Settings) -> dict[str, Any]:
    """The settings of a judge as plain JSON values."""
    return {**asdict(settings), "form": settings.form.value, "metrics": list(settings.metrics)}


def plan_text(plan: Plan) -> str:
    """The plan in one line of JSON."""
    return json.dumps(plan_document(plan), separators=(",", ":"), sort_keys=True)


def read_plan(text: str) -> Plan:
    """The plan in a text of JSON.

    Raises:
        UsageError: it is none, or can't be followed.
    """
    if len(text) > MAX_BYTES:
        raise UsageError(f"A plan has at most {MAX_BYTES:,} characters.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The plan is not JSON: {clean(str(error), 120)}.") from error
    return plan_from(document)


def plan_from(document: object) -> Plan:
    """The plan in a document of plain values (JSON, TOML).

    Raises:
        UsageError: something in it is missing, unknown, of another type, or can't be followed.
    """
    values = _table(document, "A plan")
    known = {field.name for field in fields(Plan)}
    _no_other(values, known, "A plan")
    steps, settings = values.get("steps"), values.get("settings")
    if not isinstance(steps, list) or not 2 <= len(steps) <= MAX_STEPS:
        raise UsageError(f"A plan has a list of 2 to {MAX_STEPS} steps.")
    more: dict[str, Any] = {}
    if "mode" in values:
        if values["mode"] not in set(Mode):
            raise UsageError(f"mode is route or split, not {clean(values['mode'], 20)!r}.")
        more["mode"] = Mode(values["mode"])
    if "automatic" in values:
        if not isinstance(values["automatic"], bool):
            raise UsageError("automatic is true or false.")
        more["automatic"] = values["automatic"]
    for name in ("interval_s", "stale_after_s", "quiet_after_s"):
        if name in values:
            more[name] = _number(values[name], name)
    return Plan(tuple(_step(step) for step in steps), settings_from(settings), **more)


def settings_from(document: object) -> Settings:
    """The settings of a judge in a document of plain values.

    Raises:
        UsageError: as `plan_from`.
    """
    values = _table(document, "[settings]")
    kinds = {field.name: field for field in fields(Settings)}
    _no_other(values, set(kinds), "[settings]")
    for name in ("margin", "sigma", "lowest", "highest"):
        if name not in values:
            raise UsageError(f"settings.{name} is missing.", "Nobody but you can know it: there is no default.")
    more: dict[str, Any] = {}
    for name, value in values.items():
        if name == "form":
            if value not in set(Form):
                raise UsageError(f"settings.form is one of {', '.join(Form)}.")
            more[name] = Form(value)
        elif name == "metrics":
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise UsageError("settings.metrics is a list of names.")
            more[name] = tuple(str(clean(item, 40)) for item in value)
        elif name in _COUNTS:
            more[name] = _count(value, f"settings.{name}")
        else:
            more[name] = _number(value, f"settings.{name}")
    return Settings(**more)


_COUNTS: Final = frozenset({"due_rounds", "block", "min_blocks", "min_blocks_harm"})


def _step(document: object) -> Step:
    values = _table(document, "A step")
    _no_other(values, {field.name for field in fields(Step)}, "A step")
    if "share" not in values:
        raise UsageError("A step needs a share.")
    more: dict[str, Any] = {"share": exact(values["share"], "share")}
    if "loss_budget" in values:
        more["loss_budget"] = exact(values["loss_budget"], "loss_budget")
    if "min_rounds" in values:
        more["min_rounds"] = _count(values["min_rounds"], "min_rounds")
    for name in ("min_dwell_s", "max_dwell_s"):
        if name in values:
            more[name] = _number(values[name], name)
    for name in ("margin", "alpha_harm", "alpha_safe"):
        if values.get(name) is not None:
            more[name] = _number(values[name], name)
    return Step(**more)


def exact(value: object, name: str) -> Decimal:
    """An exact amount from a text, a whole number, or a number as short as it was written.

    Raises:
        UsageError: it is none, or not finite.
    """
    if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool):
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            amount = Decimal("NaN")
        if amount.is_finite():
            return amount
    raise UsageError(f"{name} is an amount, not {clean(value, 20)!r}.")


def _table(document: object, what: str) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise UsageError(f"{what} is a table of names and values.")
    return document


def _no_other(values: Mapping[str, Any], known: set[str], what: str) -> None:
    unknown = sorted(str(name) for name in values if name not in known)
    if unknown:
        raise UsageError(f"{what} has no {clean(unknown[0], 40)!r}.", f"It has {', '.join(sorted(known))}.")


def _number(value: object, name: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        return float(value)
    raise UsageError(f"{name} is a number, not {clean(value, 20)!r}.")


def _count(value: object, name: str) -> int:
    if type(value) is int:
        return value
    raise UsageError(f"{name} is a whole number, not {clean(value, 20)!r}.")
