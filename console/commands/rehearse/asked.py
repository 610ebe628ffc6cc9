"""What an operator asks of a rehearsal, from the words that were given for it."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from console.commands.base import Call
from console.domain.errors import UsageError
from console.domain.operator.command import Param
from console.domain.operator.moment import parse_moment
from console.domain.rehearsal.evidence import Limits
from console.domain.rehearsal.money import parse_money
from console.domain.shadow.compare import Rules
from console.domain.text import clean
from console.logs.files.expand import expand

MOST_ROUNDS: Final = 1_000_000
MOST_RUNS: Final = 5
MOST_FILES: Final = 1000
MOST_VERSION: Final = 64
BETWEEN: Final = ","
"""Between the items of an argument that may hold several."""
_OPTIONS: Final = (
    ("log", f"Recorded decision logs, {os.pathsep!r} between them; globs. Else those that are followed."),
    ("last", "How far back: 90m, 24h, 7d; 24h if nothing is said."),
    ("since", "From then on: how long ago, or a time."),
    ("until", "Up to then: how long ago, or a time."),
    ("type", "Only decisions of this type; several with commas."),
    ("agent_version", "The version that is rehearsed; else the one that the target side runs."),
    ("runs", f"How often it runs over the same inputs, to measure its noise: 1 to {MOST_RUNS}; 2 if not said."),
    ("max_rounds", "Rounds at most; 10000 if not said."),
    ("timeout", "The longest wait for the answer to one round, in seconds; 10 if not said."),
    ("deadline", "The longest that all of it may take, in seconds; 600 if not said."),
    ("tolerance", "How far numbers may lie apart: output.target=0.5, or output.target=1%; several with commas."),
    ("ignore", "Fields that are not compared: output.id, output.trace.*; several with commas."),
    ("money", "Further fields that move money, beside amount, side, asset, recipient; several with commas."),
    ("allow", "The largest share of rounds that may differ, 0 to 1; 0 if not said."),
    ("max_loss", 'How much less than recorded the differing rounds may earn: "5 USD".'),
    ("env", "A variable of yours that it gets, beside PATH and the like; several with commas."),
)
PARAMS: Final = (
    Param("command", "The program that reads rounds and writes decisions, with its arguments."),
    *(Param(name, told, required=False, option=True) for name, told in _OPTIONS),
    Param("target", "The side whose version it is; else the one that does not act.", False, ("blue", "green"), True),
    Param("no_keep", "Keep nothing as evidence; no store is needed.", required=False, flag=True),
)
SEVERAL: Final = frozenset({"log", "type", "tolerance", "ignore", "money", "env"})


class Asked(NamedTuple):
    """A rehearsal as it is asked for.

    Args:
        command: program and arguments.
        logs: files.
        since, until: of the rounds; aware UTC; None for no bound.
        kinds: decision types; empty for all.
        runs, most: how often, and how many rounds at most.
        timeout_s, deadline_s: for one round, and for all.
        rules, limits: what may differ.
        named: variables that it gets.
        allowances: rules and limits in words; empty for none.
    """

    command: tuple[str, ...]
    logs: tuple[Path, ...]
    since: datetime | None
    until: datetime | None
    kinds: frozenset[str]
    runs: int
    most: int
    timeout_s: float
    deadline_s: float
    rules: Rules
    limits: Limits
    named: tuple[str, ...]
    allowances: str


def asked_for(call: Call, decisions: tuple[str, ...], now: datetime) -> Asked:
    """What is asked for.

    Args:
        call: the words.
        decisions: patterns of the logs that are followed, for where none is named.
        now: aware UTC.

    Raises:
        UsageError: something in it can't be understood, or no log is named.
    """
    args = call.args
    since, until = _span(call, now)
    absolute, relative = _tolerances(several(call, "tolerance"))
    rules = Rules(tuple(several(call, "ignore")), absolute, relative, (), frozenset(several(call, "money")))
    loss = args.get("max_loss", "")
    limits = Limits(_number(call, "allow", 0.0, lambda value: 0 <= value <= 1), parse_money(loss) if loss else None)
    return Asked(
        command=_command(call.require("command")),
        logs=_files(several(call, "log") or list(decisions)),
        since=since,
        until=until,
        kinds=frozenset(several(call, "type")),
        runs=int(_number(call, "runs", 2, lambda value: value in range(1, MOST_RUNS + 1))),
        most=int(_number(call, "max_rounds", 10_000, lambda value: value in range(1, MOST_ROUNDS + 1))),
        timeout_s=_number(call, "timeout", 10.0, _is_wait),
        deadline_s=_number(call, "deadline", 600.0, _is_wait),
        rules=rules,
        limits=limits,
        named=tuple(several(call, "env")),
        allowances=_allowances(call),
    )


def several(call: Call, name: str) -> list[str]:
    """The items of an argument that may hold several."""
    between = os.pathsep if name == "log" else BETWEEN
    return [part.strip() for part in call.args.get(name, "").split(between) if part.strip()]


def checked_version(text: str) -> str:
    """A version's name, as it can be kept.

    Raises:
        UsageError: it is none.
    """
    if not text or len(text) > MOST_VERSION or str(clean(text, MOST_VERSION)) != text or text != text.strip():
        raise UsageError(f"{clean(text, 80)!r} is no version.", f"At most {MOST_VERSION} plain characters.")
    return text


def _command(text: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"The command can't be read: {clean(error, 60)}.", "Mind its quotes.") from error
    if not words or not words[0]:
        raise UsageError("COMMAND is missing.", "Write `-- COMMAND ARG…` at the end.")
    return words


def _span(call: Call, now: datetime) -> tuple[datetime | None, datetime | None]:
    last, since, until = (call.args.get(name, "") for name in ("last", "since", "until"))
    if last and (since or until):
        raise UsageError("--last says already from when to when.", "Give it, or --since and --until.")
    if not since and not until:
        return parse_moment(last or "24h", now), None
    begins, ends = (parse_moment(text, now) if text else None for text in (since, until))
    if begins is not None and ends is not None and begins >= ends:
        raise UsageError("--since is not before --until.")
    return begins, ends


def _files(patterns: list[str]) -> tuple[Path, ...]:
    files = [Path(path) for pattern in patterns for path in expand(pattern) if path is not None]
    if not files:
        raise UsageError("No decision log is named, or none matches.", "--log FILE names one.")
    if len(files) > MOST_FILES:
        raise UsageError(f"{len(files):,} logs are more than {MOST_FILES:,}.", "Name fewer.")
    return tuple(dict.fromkeys(files))


def _tolerances(words: list[str]) -> tuple[dict[str, float], dict[str, float]]:
    absolute: dict[str, float] = {}
    relative: dict[str, float] = {}
    for word in words:
        path, _, text = word.partition("=")
        share = text.endswith("%")
        try:
            value = float(text.removesuffix("%"))
        except ValueError:
            value = math.nan
        if not path or not math.isfinite(value):
            raise UsageError(f"{clean(word, 60)!r} is no tolerance.", "Write output.target=0.5, or output.target=1%.")
        (relative if share else absolute)[path] = value / 100 if share else value
    return absolute, relative


def _is_wait(value: float) -> bool:
    return 0 < value <= 86_400


def _number(call: Call, name: str, default: float, fits: Callable[[float], bool]) -> float:
    text = call.args.get(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not fits(value):
        param = next(param for param in PARAMS if param.name == name)
        raise UsageError(f"{clean(text, 24)!r} can't be --{name.replace('_', '-')}.", param.help)
    return value


def _allowances(call: Call) -> str:
    told = {"allow": "share ", "max_loss": "loss ", "tolerance": "tolerance ", "ignore": "not compared: "}
    parts = [f"{words}{call.args[name]}" for name, words in told.items() if call.args.get(name)]
    return str(clean("; ".join(parts), 256))
