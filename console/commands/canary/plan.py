"""The file that a canary is started from: the plan, and whose capital it moves.

```toml
canary = "green"            # the slot whose version is to be proven
capital = "10000"           # that both versions share
currency = "USD"
mode = "route"              # each round whole to one version; or "split": both play, with stakes f and 1 - f
automatic = false           # true: a step whose every gate is open is taken without asking

[settings]                  # frozen at the start; per unit of money at risk and round
margin = 0.05               # how much worse is accepted
sigma = 1.0                 # standard deviation of a round's return, from the stable version's history
lowest = -1.0               # the least and the most that one round can return
highest = 9.0

[[steps]]
share = "0"                 # the canary is a shadow
min_rounds = 50

[[steps]]
share = "0.05"
loss_budget = "60"          # of money, exact; every step with capital needs one
min_rounds = 100
min_dwell_s = 600
```
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from console.domain.canary.plan import Plan
from console.domain.canary.text import MAX_BYTES, exact, plan_from
from console.domain.errors import UsageError
from console.domain.text import clean

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z")
SLOTS: Final = ("blue", "green")


@dataclass(frozen=True, slots=True)
class PlanFile:
    """What a plan file says.

    Args:
        slot: whose version is the canary.
        capital: that both versions share; above 0, in `currency`.
        currency: of the capital and of every loss budget.
        plan: the ladder.
    """

    slot: str
    capital: Decimal
    currency: str
    plan: Plan


def read_plan_file(path: Path) -> PlanFile:
    """Read a plan file: TOML, or JSON where its name ends so.

    Raises:
        UsageError: it can't be read, or something in it is missing, unknown, or can't be followed.
    """
    shown = clean(str(path), 120)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{shown} can't be read: {error.strerror}.") from error
    if len(raw) > MAX_BYTES:
        raise UsageError(f"{shown} is longer than any plan: more than {MAX_BYTES:,} bytes.")
    try:
        text = raw.decode("utf-8")
        document: Any = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UsageError(f"{shown} can't be read: {clean(str(error), 120)}.") from error
    if not isinstance(document, dict):
        raise UsageError(f"{shown} holds no table.")
    slot, currency = document.pop("canary", None), document.pop("currency", None)
    if slot not in SLOTS:
        raise UsageError(f'{shown} doesn\'t say which slot is the canary: canary = "green".')
    if not isinstance(currency, str) or not currency or len(currency) > 16 or clean(currency) != currency:
        raise UsageError(f'{shown} doesn\'t say of which currency its amounts are: currency = "USD".')
    capital = exact(document.pop("capital", None), "capital")
    if capital <= 0:
        raise UsageError("capital is an amount above 0.")
    return PlanFile(slot, capital, currency, plan_from(document))


def run_name(name: str) -> str:
    """A run's name, if it can be one.

    Raises:
        UsageError: it can't.
    """
    if not _NAME.match(name):
        raise UsageError(
            f"{clean(name, 64)!r} can't be a run's name.", "Use letters, digits, _ . and -, at most 64 characters."
        )
    return name
