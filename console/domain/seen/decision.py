"""One decision of an agent, as its log tells it, made safe and bounded. Parsing JSON lines is `console.logs`' work."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from console.domain.text import Safe


class Rejection(StrEnum):
    """Why a line of a decision log could not be read; every such line is counted under its reason and shown."""

    NOT_JSON = "not JSON"
    NOT_AN_OBJECT = "not an object"
    NOT_UTF8 = "not UTF-8"
    TOO_LONG = "line too long"
    MISSING_FIELD = "missing field"
    WRONG_TYPE = "wrong type"
    BAD_TIMESTAMP = "bad timestamp"
    BAD_PNL = "bad PnL"


class Money(NamedTuple):
    """An amount with its currency; amounts of two currencies, or of dry and live rounds, are never summed.

    Args:
        amount: exact.
        currency: as the log states it ("" where it states none).
        dry: whether no real money moved.
    """

    amount: Decimal
    currency: Safe = Safe("")
    dry: bool = False


class Decision(NamedTuple):
    """A parsed line.

    Args:
        at: when the agent decided; aware UTC.
        version: `agent_version`.
        slot: "blue", "green", or "" where the record belongs to neither (see `console.logs`, slot mapping).
        kind: `decision_type`.
        outcome: `output`, on one line.
        reasoning: on one line.
        pnl: profit or loss of this round, where the record states one.
        latency_ms: how long the decision took, where the record states it.
        future_s: how many seconds after the reader's `now` the timestamp lies; 0 for the past.
        raw: the line itself, capped; for a detail view, to be parsed and cleaned again before it is drawn.
        source: the file's name.
        offset: where in that file the line starts, in bytes.
        sequence: position in what this reader has read, counted from 1 and never reused: the row's key on a screen.
    """

    at: datetime
    version: Safe
    slot: str
    kind: Safe
    outcome: Safe
    reasoning: Safe
    pnl: Money | None = None
    latency_ms: float | None = None
    future_s: float = 0.0
    raw: bytes = b""
    source: Safe = Safe("")
    offset: int = 0
    sequence: int = 0


TEN: Final = 10
"""How many first decisions are looked at after a switch."""


class FirstDecisions(NamedTuple):
    """The first decisions since who acts was changed.

    Args:
        slot: who acts.
        since: since when, on the server's clock.
        by: who changed it.
        decisions: oldest first, at most `TEN`.
        whole: whether none before them was missed: what was read reaches back to the change, without a gap.
        read_to: the newest position that was looked at; 0 for nothing yet.
    """

    slot: str
    since: datetime
    by: Safe
    decisions: tuple[Decision, ...] = ()
    whole: bool = True
    read_to: int = 0
