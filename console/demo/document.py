"""The simulated venue's document: a preset, and what an operator would have to find out and say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

VENUE_FILE: Final = "venue.toml"
KEY_FILE: Final = "venue.key"
DOCUMENT: Final = """\
# The demo's venue, as a document of docs/venues.md speaks of one.
preset = "purple-flea"
name = "simulated venue"

[services]
casino = {{ url = "{url}" }}
escrow = {{ url = "{url}" }}
trading = {{ url = "{url}" }}

[auth]
key_file = "{key}"

[rates]                                # it answers 6000 requests a minute; the agents send most of them
default = {{ requests = 1500, per_s = 60 }}
history = {{ requests = 60, per_s = 60 }}
deadman = {{ requests = 120, per_s = 60 }}

[pace]
every_s = 2.0
timeout_s = 2.0
look_s = 5.0

[tolerances]
amount = 15.00                         # three bets: so far a version that stands by may be behind the one that plays

[escrow]
payee = "counterparty"
provenance = "its source: a sweep pays the counterparty, five minutes after the time is over at the latest"
said_by = "demo"
said_on = "{today}"

[probes.limits]
service = "casino"
path = "/api/v1/auth/balance"
remaining_header = "X-RateLimit-Remaining"
limit_header = "X-RateLimit-Limit"
resets_header = "X-RateLimit-Reset"

[deadman]
service = "trading"
path = "/v1/cancel-all-after"
body = {{ timeout_ms = "{{timeout_ms}}" }}
armed = true

[deadman.terms]
timeout_s = 20
every_s = 4
takes = "all"
goodbye = "nothing"
per_day = 0
provenance = "its source: nothing but a sign of life puts it off, and it cancels every order"
"""


def write_document(folder: Path, port: int, key: str) -> None:
    """Write the document, and the key beside it, so that nobody else can read either.

    Args:
        folder: of the demo.
        port: on which the venue listens, on loopback.
        key: that it takes.
    """
    secret = folder / KEY_FILE
    secret.touch(mode=0o600)
    secret.write_text(f"{key}\n")
    today = datetime.now(UTC).date().isoformat()
    text = DOCUMENT.format(url=f"http://127.0.0.1:{port}", key=secret, today=today)
    (folder / VENUE_FILE).write_text(text)
