"""A venue that fails at the turn of a switch, with a document that speaks of it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from console.demo.faulty import FaultyVenue
from console.domain.text import Safe
from console.domain.venue.books import Books
from console.venue.setup import Venue, load

KEY = "sk_live_0123456789abcdef"

_AUTH = """
[auth]
key_env = "VENUE_KEY"
[pace]
timeout_s = 0.6
look_s = 5
most_bytes = 65536
[rates]
default = { requests = 10000, per_s = 1 }
history = { requests = 10000, per_s = 1 }
"""


PATIENT_S = 20.0
"""A time-out for a test in which nothing is slow on purpose: a busy machine is, now and then."""


def write_document(
    folder: Path, venue: FaultyVenue, preset: str = "purple-flea", more: str = "", *, timeout_s: float = 0.6
) -> Path:
    """A document for a preset, on a venue of a test."""
    names = ("casino", "escrow", "trading") if preset == "purple-flea" else ("api",)
    services = "".join(f'{name} = {{ url = "{venue.url}" }}\n' for name in names)
    path = folder / f"{preset}.toml"
    pace = _AUTH.replace("timeout_s = 0.6", f"timeout_s = {timeout_s}").replace(
        "look_s = 5", f"look_s = {5 + timeout_s}"
    )
    path.write_text(f'preset = "{preset}"\nname = "test"\n[services]\n{services}{pace}{more}')
    return path


def configured(folder: Path, venue: FaultyVenue, preset: str = "purple-flea", more: str = "") -> Venue:
    """The same, loaded."""
    return load(write_document(folder, venue, preset, more), {"VENUE_KEY": venue.key})


def now() -> datetime:
    """The time now."""
    return datetime.now(UTC)


def books(venue: FaultyVenue, **other: object) -> Books:
    """Local books that agree with the venue."""
    held = venue.holdings
    ids = tuple(str(one["position_id"]) for one in held.positions)
    orders = tuple(str(one["order_id"]) for one in held.orders)
    made = Books(now(), Safe("state"), Decimal("1000.00"), ids, orders, tuple(held.escrows))
    return made._replace(**other)  # type: ignore[arg-type]
