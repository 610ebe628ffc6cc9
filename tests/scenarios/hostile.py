"""Text written to break a terminal, a layout or a parser of markup, as it is after `clean`, in every field."""

from __future__ import annotations

from decimal import Decimal

from console.domain.fence.deployment import Deployment, Instance, Slot, read_active
from console.domain.operator.receipt import AuditEntry, Change
from console.domain.seen.decision import Money
from console.domain.seen.observation import Link, LinkState, LogFile, Observation
from console.domain.state.flags import read_flag
from console.domain.text import Safe, clean
from tests.scenarios.parts import ago, authority, decision, logs, observed, store, version

RAW = (
    "\x1b]0;owned\x07\x1b[31mred\x1b[0m",
    "[@click=app.quit]press me[/]",
    "[/x][bold red]unbalanced",
    "\x1b[2J\x1b[H\x9b31m\x90payload\x9c",
    "\u202egnp.exe\u2066\u200b\u200f",
    "z" + "\u0301" * 400,
    "wide 日本語テキスト 🧨🧨 " * 20,
    "a\nb\r\nc\td\x00e\x7f",
    "x" * 100_000,
    "$(reboot) `reboot` ';--",
)
"""What an agent, a store or a venue might say."""


def _text(index: int, limit: int = 256) -> Safe:
    return clean(RAW[index % len(RAW)], limit)


def hostile() -> Observation:
    """Every field that can hold text from outside holds hostile text."""
    said = tuple(
        decision(i + 1, 20 - i, ("blue", "green", "")[i % 3])._replace(
            version=_text(i, 64),
            kind=_text(i + 1, 64),
            outcome=_text(i + 2),
            reasoning=_text(i),
            pnl=Money(Decimal("1E+40") if i % 4 == 0 else Decimal("-0.000001"), _text(i + 3, 8), dry=i % 2 == 0),
            raw=RAW[i % len(RAW)].encode("utf-8", "surrogatepass"),
            source=_text(i),
        )
        for i in range(20)
    )
    named = {str(_text(i, 128)): read_flag(RAW[i], RAW[(i + 1) % len(RAW)]) for i in range(len(RAW))}
    receipts = tuple(
        AuditEntry(
            stream_id=f"{i}-0",
            id=_text(i),
            at=ago(100 - i),
            command=_text(i),
            who=_text(i + 1),
            why=_text(i + 2),
            changes=(Change(_text(i), _text(i + 1), _text(i + 2)),),
            note=_text(i + 3),
            problem=_text(i + 4),
        )
        for i in range(len(RAW))
    )
    people = tuple(
        Instance(_text(i), Slot.BLUE, _text(i + 1, 64), 0, ago(1), info=_text(i + 2)) for i in range(len(RAW))
    )
    where = Deployment(read_active(RAW[0]), authority(), people)
    log = logs()
    reading = version("blue", decided=9, last_s=1, rate=1, totals=())._replace(version=_text(0, 64))
    log = log._replace(
        files=tuple(LogFile(_text(i), problem=_text(i + 1)) for i in range(3)),
        rejected={RAW[i][:20] if clean(RAW[i][:20]) == RAW[i][:20] else clean(RAW[i]): i + 1 for i in range(3)},
        by_version={str(reading.version): reading},
        by_slot={"blue": reading},
        recent=said,
    )
    connection = Link(LinkState.RECONNECTING, _text(0), 1.0, 3, _text(1))
    seen = observed(store(where, readings=named, receipts=receipts), log, connection, profile=RAW[2])
    return seen._replace(agent=_text(2))
