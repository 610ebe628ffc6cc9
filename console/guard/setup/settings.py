"""What the guard's file says: thresholds, arming, signals and webhooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from console.domain.triggers.settings import TriggerSettings
from console.guard.setup.signals import Signals


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where alerts go.

    Args:
        name: for logs and for the outbox; never the URL, which may be a secret itself.
        kind: "json", "slack" or "pagerduty".
        url: never shown.
        secret: HMAC key of a generic webhook, or PagerDuty's routing key; never shown.
    """

    name: str
    kind: str
    url: str = field(repr=False)
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """Where the chained streams go, so that the store stays bounded.

    Args:
        folder: of the files, one for each stream of each agent; None to archive nothing.
        keep: entries that stay in each stream although they are archived.
    """

    folder: Path | None = None
    keep: int = 10_000


@dataclass(frozen=True, slots=True)
class GuardFile:
    """What the guard's file says."""

    triggers: TriggerSettings = field(default_factory=TriggerSettings)
    signals: Signals = field(default_factory=Signals)
    webhooks: tuple[Webhook, ...] = ()
    archive: ArchiveSettings = field(default_factory=ArchiveSettings)
