"""Whether a reader that reads in turns has seen what one that begins anew sees."""

from __future__ import annotations

from datetime import UTC, datetime

from console.domain.seen.observation import StoreReading
from console.store.keys import Keys
from console.store.reading.reader import StoreReader

KEYS = Keys.of()
PARTS = (
    "deployment",
    "flags",
    "open_claims",
    "sendings",
    "guards",
    "alerts",
    "deadman",
    "upgrade",
    "canary",
    "shadows",
    "divergences",
    "experiments",
)
"""All that is read but receipts and control events, which are read by their streams' ids, and its own moment."""


async def compare(reader: StoreReader, keys: Keys = KEYS) -> StoreReading:
    """Read with a reader and with a new one on its connection; the reading, once they are alike.

    Raises:
        AssertionError: a part differs.
    """
    now = datetime.now(UTC)
    told = await reader.read(now)
    anew = await StoreReader(reader._client, keys, reader._registry).read(now)
    for part in PARTS:
        assert getattr(told, part) == getattr(anew, part), part
    return told
