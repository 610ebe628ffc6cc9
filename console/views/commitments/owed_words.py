"""What is said of one thing that is owed: its kind, what a switch does with it, our part in it, who opened it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from console.domain.commitments.commitment import Kind, Owed
from console.domain.commitments.listing import Outstanding, Place
from console.domain.text import clean
from console.views.format import age_text, clock_text, iso_text

_SHORT: Final = {Kind.UNKNOWN_OUTCOME: "unknown"}


def seen_text(place: Place, at: datetime | None, server: datetime) -> str:
    """Where it is listed, and how old that is."""
    return place.value if at is None else f"{place.value}, {age_text(max(0.0, (server - at).total_seconds()))} ago"


def opened_facts(owed: Owed) -> Iterator[tuple[str, str]]:
    """What the store has of it alone."""
    by = f"{owed.slot.value if owed.slot else 'nobody known'} {clean(owed.version, 64) or '–'}"
    yield "opened", f"{iso_text(owed.opened_at)} by {by}"
    yield "claim", clean(owed.claim, 200)
    yield "detail", clean(owed.commitment.detail, 4_096)


def kind_text(one: Outstanding) -> str:
    """Its kind in a word."""
    kind = one.owed.commitment.kind if one.owed is not None else one.thing.kind
    return _SHORT.get(kind, kind.value)


def switch_text(owed: Owed) -> str:
    """What a switch does with it."""
    policy = owed.commitment.policy
    return policy.value if policy.pinned == (owed.pin is not None) else f"stays {owed.pin or ''}"


def role_of(one: Outstanding) -> str:
    """Our part in it, where its author wrote that down."""
    if one.owed is None:
        return ""
    try:
        detail = json.loads(one.owed.commitment.detail)
    except (ValueError, RecursionError):
        return ""
    return str(detail.get("role", "")).lower() if isinstance(detail, dict) else ""


def in_text(rest: timedelta) -> str:
    """When it ends by itself, or since when it is over."""
    text = clock_text(rest.total_seconds())
    return f"in {text}" if rest.total_seconds() > -1 else f"over since {text[1:]}"
