"""The guard's file, `guard.toml`: thresholds and arming by trigger, signals, webhooks (`docs/examples/guard.toml`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, StrictStr, create_model

from console.documents.model import Document, meanings_of, model_of, record_of
from console.documents.reading import read
from console.domain.errors import UsageError
from console.domain.text import clean
from console.domain.triggers.finding import Arming
from console.domain.triggers.settings import TriggerSettings, changed, setting_fields
from console.guard.setup.settings import ArchiveSettings, GuardFile, Webhook
from console.guard.setup.signals import Signals

PAGERDUTY: Final = "https://events.pagerduty.com/v2/enqueue"


def _plain(value: object) -> object:
    """A threshold as it is handed on: numbers may be written as texts, here as in the store."""
    plain = isinstance(value, str | int | float | Decimal) and not isinstance(value, bool)
    if not plain:
        raise ValueError("a number or a text")
    return str(value)


Threshold = Annotated[str, BeforeValidator(_plain)]
Name = Annotated[StrictStr, Field(min_length=1)]


class WebhookTable(Document):
    """Where alerts go; addresses and keys may stand in the environment."""

    name: Annotated[Name, Field(description="for logs and the outbox")]
    kind: Annotated[Literal["json", "slack", "pagerduty"], Field(description="how the request is shaped")] = "json"
    url: Annotated[StrictStr | None, Field(description="its address")] = None
    url_env: Annotated[StrictStr | None, Field(description="the variable that holds its address")] = None
    secret_env: Annotated[StrictStr | None, Field(description="the variable that holds its key")] = None


class ArchiveTable(Document):
    """Where the chained streams go, so that the store stays bounded."""

    folder: Annotated[Name, Field(description="of the files; made if it is missing")]
    keep: Annotated[int, Field(ge=0, description="entries that stay in each stream although they are archived")] = (
        10_000
    )


def _tables() -> dict[str, Any]:
    """One table for each trigger, with its thresholds as `TriggerSettings` has them."""
    meanings, tables = meanings_of(TriggerSettings), dict[str, dict[str, Any]]()
    for setting, field_name in setting_fields():
        trigger, _, name = setting.partition(".")
        meaning = meanings.get(field_name) if field_name else "armed, dry (reported, not acted on) or off"
        kind: Any = Threshold if field_name else Annotated[Arming, Field(strict=False)]
        tables.setdefault(trigger, {})[name] = (kind | None, Field(default=None, description=meaning))
    return {
        name.replace("-", "_"): (
            create_model(f"{name} table", __base__=Document, **table) | None,
            Field(
                default=None,
                alias=name,
                description="what is asked of every agent" if name == "guard" else f"the trigger {name}",
            ),
        )
        for name, table in tables.items()
    }


GuardDocument: Final[Any] = create_model(
    "GuardDocument",
    __base__=Document,
    __doc__="Thresholds and arming by trigger, where signals stand in the decision log, and where alerts go.",
    **_tables(),
    signals=(
        model_of(Signals),
        Field(default_factory=model_of(Signals), description="names that are looked for in records"),
    ),
    archive=(ArchiveTable | None, Field(default=None, description="where the chained streams go")),
    webhooks=(
        Annotated[tuple[WebhookTable, ...], Field(strict=False)],
        Field(default=(), description="where alerts go"),
    ),
)


def load(path: Path | None, environment: Mapping[str, str] | None = None) -> GuardFile:
    """Read it; None for the defaults.

    Raises:
        UsageError: it can't be read, or something in it means nothing.
    """
    if path is None:
        return GuardFile()
    file = read(path, GuardDocument)
    given = {
        f"{trigger}.{name}": value
        for trigger, table in file.model_dump(
            by_alias=True, exclude_none=True, exclude={"archive", "signals", "webhooks"}
        ).items()
        for name, value in table.items()
    }
    env = os.environ if environment is None else environment
    hooks = tuple(_webhook(entry, env) for entry in file.webhooks)
    if len({hook.name for hook in hooks}) != len(hooks):
        raise UsageError("Two webhooks have the same name.")
    return GuardFile(changed(TriggerSettings(), given), record_of(Signals, file.signals), hooks, _archive(file.archive))


def _archive(table: ArchiveTable | None) -> ArchiveSettings:
    if table is None:
        return ArchiveSettings()
    return ArchiveSettings(Path(table.folder).expanduser(), table.keep)


def _webhook(entry: WebhookTable, env: Mapping[str, str]) -> Webhook:
    name = str(clean(entry.name, 40))
    url = entry.url or _secret(entry.url_env, env, name) or (PAGERDUTY if entry.kind == "pagerduty" else "")
    if urlsplit(url).scheme not in ("http", "https"):
        raise UsageError(f"Webhook {name} needs an http or https address.", "Give url, or url_env.")
    secret = _secret(entry.secret_env, env, name)
    if entry.kind == "pagerduty" and not secret:
        raise UsageError(f"Webhook {name} needs PagerDuty's routing key.", "Give secret_env.")
    return Webhook(name, entry.kind, url, secret)


def _secret(variable: str | None, env: Mapping[str, str], name: str) -> str:
    if variable is None:
        return ""
    if not env.get(variable):
        raise UsageError(f"Webhook {name}: the environment has no {clean(variable, 60)}.", "Export it first.")
    return env[variable]
