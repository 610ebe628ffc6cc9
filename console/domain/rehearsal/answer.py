"""What a version under rehearsal answers to one recorded round, and the ways in which an answer can fail.

Every failure has its own class, and none of them is success.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from console.domain.rehearsal.money import Money, Paths, money_in
from console.domain.shadow.compare import Raised
from console.domain.text import clean

MAX_DEPTH: Final = 64
_LARGEST: Final = 300
"""Decimal exponent from which on a number is taken for one that is not finite: no double holds it."""


class Fault(StrEnum):
    """How a version failed to answer."""

    MISSING = "missing"
    """It ended, or closed its output, without an answer to this round."""
    TIMED_OUT = "timed out"
    """No answer within the time of a round."""
    LATE = "late"
    """An answer to a round that had timed out or failed before."""
    DUPLICATE = "duplicate"
    """A second answer to a round."""
    OUT_OF_ORDER = "out of order"
    """An answer to a round that it had not been given yet."""
    EXTRA = "extra"
    """Output after the last round that answers none."""
    MALFORMED = "malformed"
    """No JSON object with `round` and `output` (or `error`)."""
    NOT_FINITE = "not finite"
    """NaN, an infinity, or a number that no double holds."""
    TOO_LONG = "line too long"
    """A line beyond the bound; it is not held."""
    TOO_MUCH = "too much output"
    """More output than is read of one run."""
    OTHER_VERSION = "other version"
    """It says that it is another version than the one that is rehearsed."""
    OUT_OF_TIME = "out of time"
    """The whole rehearsal took too long; the rounds behind were not asked."""
    EXIT = "exit status"
    """It ended with a status that is not 0, or by a signal."""
    NOT_ENDED = "did not end"
    """It went on after its input had ended, and was killed."""


class Problem(NamedTuple):
    """One failure.

    Args:
        fault: its class.
        round: which round; 0 for none.
        run: which run, from 1.
        words: what was seen, made safe.
    """

    fault: Fault
    round: int
    run: int
    words: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A version's answer to one round.

    Args:
        kind: the decision type, where it states one.
        output: what it decided, or what it raised.
        price: what the decision is worth by its own reckoning; None where it states none.
        document: the whole answer.
    """

    kind: str | None
    output: object
    price: Money | None
    document: Mapping[str, object]


def read_answer(document: Mapping[str, object], version: str, paths: Paths) -> Answer | tuple[Fault, str]:
    """An answer from its decoded line, or how it fails and in what words.

    Args:
        document: numbers with a fraction as Decimal; from outside.
        version: that is rehearsed; empty where any may answer.
        paths: where the log says that prices stand.
    """
    if ("output" in document) is ("error" in document):
        return Fault.MALFORMED, "it has to hold one of `output` and `error`"
    kind, stated = document.get("decision_type"), document.get("agent_version")
    if not isinstance(kind, str | None):
        return Fault.MALFORMED, "its `decision_type` is no text"
    if version and stated is not None and str(stated) != version:
        return Fault.OTHER_VERSION, str(clean(stated, 64))
    bad = _bad_number(document, 0)
    if bad is not None:
        return bad
    if "error" in document:
        return Answer(kind, Raised(str(clean(document["error"], 200))), None, document)
    return Answer(kind, document["output"], money_in(document, paths), document)


def is_comparable(value: object) -> bool:
    """Whether a recorded value holds only numbers that can be compared, and is not nested too deeply."""
    return _bad_number(value, 0) is None


def _bad_number(value: object, depth: int) -> tuple[Fault, str] | None:
    """The first number in a value that is none, or that the value is nested too deeply."""
    if depth > MAX_DEPTH:
        return Fault.MALFORMED, "nested too deeply"
    if isinstance(value, Mapping):
        return next((bad for inner in value.values() if (bad := _bad_number(inner, depth + 1))), None)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return next((bad for inner in value if (bad := _bad_number(inner, depth + 1))), None)
    if isinstance(value, Decimal | float):
        number = Decimal(value)
        if not number.is_finite() or (number and abs(number.adjusted()) > _LARGEST):
            return Fault.NOT_FINITE, str(clean(value, 40))
    elif isinstance(value, int) and value.bit_length() > 1000:
        return Fault.NOT_FINITE, f"a whole number of {value.bit_length():,} bits"
    return None
