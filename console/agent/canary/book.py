"""What a desk wants back of the book and of the state beside it, read with care: nothing is given out on a guess."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from console.domain.errors import UsageError


def of_run(ledger: str, name: str) -> bool:
    """Whether a ledger, as the book keeps it, is of that run.

    Raises:
        UsageError: it can't be read: nothing is given out on a guess.
    """
    if not ledger:
        return False
    try:
        book = json.loads(ledger)
    except (ValueError, RecursionError) as error:
        raise UsageError("The canary's book can't be read.", "`canary abort`, then start anew.") from error
    return isinstance(book, Mapping) and book.get("run") == name


def expectations(kept: object, open_rounds: tuple[str, ...]) -> dict[str, float]:
    """Of the open rounds what was expected then; a release before this one kept none of it."""
    values = kept if isinstance(kept, Mapping) else {}
    known = {one: values[one] for one in open_rounds if one in values}
    return {one: value for one, value in known.items() if isinstance(value, float) and isfinite(value)}


def records(open_rounds: Mapping[str, str]) -> dict[str, Any]:
    try:
        return {round_id: json.loads(record) for round_id, record in open_rounds.items()}
    except (ValueError, RecursionError) as error:
        raise UsageError("The canary's open rounds can't be read.", "Look at the agent's ac:…:book.") from error
