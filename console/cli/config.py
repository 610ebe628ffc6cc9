"""`agent-console config …`: what is in force, where it came from, and what else can be set."""

from __future__ import annotations

import json
from typing import Any

import click
import msgspec

from console import config as settings_module
from console import paths
from console.cli.options import Session, common
from console.config import Settings


@click.group("config", help="What is in force, where it came from, and what else can be set.")
def config() -> None:
    """What is in force, where it came from, and what else can be set."""


@config.command("path")
@common
def path(session: Session) -> int:
    """The files and folders that are used."""
    found = {
        "config": str(session.given.get("config") or paths.config_file()),
        "themes": str(paths.themes_dir()),
        "data": str(paths.data_dir()),
        "store": str(paths.store_dir()),
        "snapshots": str(paths.snapshots_dir(session.settings().agent)),
    }
    if session.as_json:
        click.echo(json.dumps(found))
    else:
        for name, value in found.items():
            click.echo(f"{name:<10}{value}")
    return 0


@config.command("show")
@common
def show(session: Session) -> int:
    """Every setting with its value, where that came from, and what it means; passwords are never shown."""
    rows = list(_rows(session.settings()))
    if session.as_json:
        click.echo(
            json.dumps({row[0]: {"value": row[1], "origin": row[2], "help": row[3]} for row in rows}, default=str)
        )
        return 0
    for name, value, origin, text in rows:
        shown = "-" if value is None or value == () or value == {} else value
        click.echo(f"{name:<24}{shown!s:<36} {origin:<16} {text}")
    return 0


def _rows(settings: Settings) -> list[tuple[str, Any, str, str]]:
    overlay = _descriptions(settings_module.Overlay)
    rows: list[tuple[str, Any, str, str]] = []
    for name, text in overlay.items():
        value = settings.shown_url if name == "url" else getattr(settings, name)
        rows.append((name, value, settings.origins[name], text))
    for section, values in (("logs", settings.logs), ("switch", settings.switch), ("ui", settings.ui)):
        for name, text in _descriptions(type(values)).items():
            rows.append((f"{section}.{name}", getattr(values, name), f"[{section}]", text))
    rows.extend(
        (f"flags.{spec.name}", f"{spec.type.value}, default {spec.default}", "registry", spec.description)
        for spec in settings.registry.values()
    )
    return rows


def _descriptions(struct: type) -> dict[str, str]:
    """A settings struct's fields with the description in their type."""
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    found = {}
    for field in info.fields:
        kind: Any = field.type
        description = ""
        if isinstance(kind, msgspec.inspect.Metadata):
            description = (kind.extra_json_schema or {}).get("description", "")
        found[field.name] = description
    return found
