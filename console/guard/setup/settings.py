"""The guard's file: thresholds, arming, signals and webhooks, as TOML.

```toml
[pnl]
sigmas = 3
budget = "250"
currency = "USD"

[latency]
arming = "dry"

[signals]
identity_fields = ["round_id"]

[[webhooks]]
name = "on-call"
kind = "pagerduty"           # json, slack or pagerduty
url_env = "ONCALL_URL"       # or url = "https://…"
secret_env = "ONCALL_KEY"    # json: HMAC key; pagerduty: routing key
```
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from console.domain.errors import UsageError
from console.domain.text import clean
from console.domain.triggers.settings import TriggerSettings, changed
from console.guard.setup.signals import Signals, signals_from

KINDS: Final = ("json", "slack", "pagerduty")
PAGERDUTY: Final = "https://events.pagerduty.com/v2/enqueue"


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
class GuardFile:
    """What the guard's file says."""

    triggers: TriggerSettings = field(default_factory=TriggerSettings)
    signals: Signals = field(default_factory=Signals)
    webhooks: tuple[Webhook, ...] = ()


def load(path: Path | None, environment: Mapping[str, str] | None = None) -> GuardFile:
    """Read it; None for the defaults.

    Raises:
        UsageError: it can't be read, or something in it means nothing.
    """
    if path is None:
        return GuardFile()
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{clean(str(path), 120)} can't be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{clean(str(path), 120)} is not TOML: {clean(str(error), 120)}.") from error
    signals, webhooks = document.pop("signals", {}), document.pop("webhooks", [])
    flat: dict[str, object] = {}
    for trigger, values in document.items():
        if not isinstance(values, dict):
            raise UsageError(f"{clean(trigger, 40)} stands outside of a table.", "Write it as [trigger] name = value.")
        flat |= {f"{trigger}.{name}": value for name, value in values.items()}
    if not isinstance(signals, dict) or not isinstance(webhooks, list):
        raise UsageError("[signals] is a table, and [[webhooks]] a list of tables.")
    env = os.environ if environment is None else environment
    hooks = tuple(_webhook(entry, env) for entry in webhooks)
    if len({hook.name for hook in hooks}) != len(hooks):
        raise UsageError("Two webhooks have the same name.")
    return GuardFile(changed(TriggerSettings(), flat), signals_from(signals), hooks)


def _webhook(entry: Any, env: Mapping[str, str]) -> Webhook:
    known = {"name", "kind", "url", "url_env", "secret_env"}
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise UsageError("A webhook is a table of texts.")
    if unknown := entry.keys() - known:
        raise UsageError(f"A webhook has no {sorted(unknown)[0]!r}.", f"It has {', '.join(sorted(known))}.")
    name, kind = str(clean(entry.get("name", ""), 40)), entry.get("kind", "json")
    if not name:
        raise UsageError("A webhook needs a name.")
    if kind not in KINDS:
        raise UsageError(f"Webhook {name}: {clean(kind, 20)!r} is no kind.", f"There are {', '.join(KINDS)}.")
    url = entry.get("url") or _secret(entry, "url_env", env, name) or (PAGERDUTY if kind == "pagerduty" else "")
    if urlsplit(url).scheme not in ("http", "https"):
        raise UsageError(f"Webhook {name} needs an http or https address.", "Give url, or url_env.")
    secret = _secret(entry, "secret_env", env, name)
    if kind == "pagerduty" and not secret:
        raise UsageError(f"Webhook {name} needs PagerDuty's routing key.", "Give secret_env.")
    return Webhook(name, kind, url, secret)


def _secret(entry: Mapping[str, str], field_name: str, env: Mapping[str, str], name: str) -> str:
    variable = entry.get(field_name)
    if variable is None:
        return ""
    if not env.get(variable):
        raise UsageError(f"Webhook {name}: the environment has no {clean(variable, 60)}.", "Export it first.")
    return env[variable]
