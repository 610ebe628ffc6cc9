"""What the commands on experiments share: finding one, moving it on, and the file that one is defined from.

```toml
flag = "bet_sizing"         # the flag that both strategies are values of
a = "kelly_floor"
b = "flat"
capital = "1000"            # that both arms share evenly
currency = "USD"
rounds_each = 1000

[settings]                  # frozen; per unit of money at risk and round
margin = 0.05
sigma = 1.0
lowest = -1.0
highest = 9.0
```
"""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.commands.base import Call
from console.commands.context import Context
from console.commands.gateway.door import Order
from console.domain.canary.text import exact, settings_from
from console.domain.errors import Conflict, Refused, UsageError
from console.domain.experiment.record import MAX_BYTES, ExperimentRecord, ExperimentState, ExperimentView
from console.domain.experiment.trial import Experiment
from console.domain.operator.command import Param
from console.domain.operator.receipt import Receipt
from console.domain.state.flags import check_name
from console.domain.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = Param("name", "The experiment's name.", suggests="experiment")
EXPECT = Param("expect", "The revision that the decision was based on.", required=False, option=True)


async def find_experiment(ctx: Context, call: Call) -> tuple[ExperimentView, ExperimentRecord]:
    """An experiment by its name, as it is now.

    Raises:
        Refused: there is none, or it can't be read.
        Conflict: it was changed since the caller looked.
    """
    name = call.require("name")
    for view in await ctx.gateway.experiments.read():
        if view.name == name:
            if view.record is None:
                raise Refused(f"Experiment {view.name} can't be read: {view.problem}")
            expected = call.args.get("expect", "")
            if expected and expected != str(view.record.revision):
                raise Conflict(f"Experiment {view.name} was changed meanwhile.", "Look again, then decide.")
            return view, view.record
    raise Refused(f"There is no experiment {clean(name, 64)!r}.", "`experiment show` lists all.")


async def move(
    ctx: Context, order: Order, record: ExperimentRecord, state: ExperimentState, winner: str = ""
) -> Receipt:
    """Write an experiment's next state down, if nobody changed it meanwhile."""
    after = record._replace(
        state=state, winner=winner, changed_at=ctx.clock(), by=clean(ctx.gateway.who, 128), why=clean(order.why)
    )
    told = f"{state.value}{': ' + winner if winner else ''}"
    return await ctx.gateway.experiments.put(after, record.revision, order, before=record.state.value, after=told)


def read_definition(path: Path, name: str) -> tuple[Experiment, Decimal, str]:
    """The experiment in a file, its capital and its currency.

    Raises:
        UsageError: the file can't be read, or something in it is missing, unknown, or can't be an experiment.
    """
    shown = clean(str(path), 120)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        text = raw.decode("utf-8")
        document: Any = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"{shown} can't be read: {error.strerror}.") from error
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UsageError(f"{shown} can't be read: {clean(str(error), 120)}.") from error
    if not isinstance(document, dict) or len(raw) > MAX_BYTES:
        raise UsageError(f"{shown} holds no table, or is too long.")
    known = {"flag", "a", "b", "capital", "currency", "rounds_each", "settings"}
    if unknown := sorted(set(document) - known):
        raise UsageError(f"An experiment has no {clean(unknown[0], 40)!r}.", f"It has {', '.join(sorted(known))}.")
    flag, a, b, currency = (_text(document, part) for part in ("flag", "a", "b", "currency"))
    capital, rounds = exact(document.get("capital"), "capital"), document.get("rounds_each", 1000)
    if capital <= 0 or type(rounds) is not int:
        raise UsageError("capital is an amount above 0, and rounds_each a whole number.")
    return Experiment(name, check_name(flag), a, b, settings_from(document.get("settings")), rounds), capital, currency


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value or len(value) > 256 or clean(value) != value:
        raise UsageError(f"{name} is a text.", "All of flag, a, b and currency are needed.")
    return value
