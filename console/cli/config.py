"""`agent-console config …`: what is in force, where it came from, and what else can be set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click
import msgspec

from console import config as settings_module
from console import paths
from console.cli.options import Session, common
from console.cli.report import show as show_report
from console.config import Settings
from console.domain.document import Report, document


@dataclass(frozen=True, slots=True)
class Files(Report):
    """The files and folders that are used.

    Args:
        config: the configuration file.
        themes: the operator's own themes.
        data: everything that the program keeps.
        store: the embedded store's data.
        snapshots: this agent's snapshots.
    """

    config: str
    themes: str
    data: str
    store: str
    snapshots: str

    def lines(self) -> Iterator[str]:
        for name, path in self.document().items():
            yield f"{name:<10}{path}"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting.

    Args:
        value: in force; of any type.
        origin: where it came from.
        help: what it means.
    """

    value: Any
    origin: str
    help: str


@dataclass(frozen=True, slots=True)
class SettingsReport(Report):
    """Every setting, by name.

    Args:
        settings: the setting of that name.
    """

    settings: Mapping[str, Setting]
    by_origin: bool = False
    """Whether the text says where each came from instead of what it means; the data says both."""

    def document(self) -> dict[str, Any]:
        return {name: document(setting) for name, setting in self.settings.items()}

    def lines(self) -> Iterator[str]:
        for name, setting in self.settings.items():
            value = setting.value
            shown = "-" if value is None or value == () or value == {} else value
            yield f"{name:<26}{shown!s:<36} {setting.origin if self.by_origin else setting.help}"


@click.group("config", help="What is in force, where it came from, and what else can be set.")
def config() -> None:
    """What is in force, where it came from, and what else can be set."""


@config.command("path")
@common
def path(session: Session) -> int:
    """The files and folders that are used."""
    files = Files(
        config=str(session.given.get("config") or paths.config_file()),
        themes=str(paths.themes_dir()),
        data=str(paths.data_dir()),
        store=str(paths.store_dir()),
        snapshots=str(paths.snapshots_dir(session.settings().agent)),
    )
    return show_report(session, files, ascii_only=True)


@config.command("show")
@click.option(
    "--origin", is_flag=True, help="Where each value came from: a file and its profile, a variable, an option."
)
@common
def show(session: Session, origin: bool) -> int:
    """Every setting with its value, and what it means or where that came from; passwords are never shown."""
    return show_report(session, SettingsReport(_settings(session.settings()), origin), ascii_only=True)


def _settings(settings: Settings) -> dict[str, Setting]:
    promised = ", ".join(f"{name} {value}" for name, value in settings.store.promised.items())
    shown = {
        "url": settings.shown_url,
        "store": f"{promised}, by {settings.store.by}" if promised else None,
        "password": None if settings.password is None else str(settings.password),
    }
    rows = {
        name: Setting(shown.get(name, getattr(settings, name)), settings.origins[name], text)
        for name, text in descriptions(settings_module.Overlay).items()
    }
    for section in settings_module.SECTIONS:
        values = getattr(settings, section)
        for name, text in descriptions(type(values)).items():
            full = f"{section}.{name}"
            rows[full] = Setting(_plain(getattr(values, name)), settings.origins[full], text)
    for spec in settings.registry.values():
        value = f"{spec.type.value}, default {spec.default}"
        rows[f"flags.{spec.name}"] = Setting(value, settings.origins[f"flags.{spec.name}"], spec.description)
    return rows


def _plain(value: Any) -> Any:
    """A table within a section as what it says."""
    if not isinstance(value, msgspec.Struct):
        return value
    return {name: said for name in value.__struct_fields__ if (said := getattr(value, name))}


def descriptions(struct: type) -> dict[str, str]:
    """A settings struct's fields with the description in their type."""
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    return {field.name: _description(field.type) for field in info.fields}


def _description(kind: msgspec.inspect.Type) -> str:
    if not isinstance(kind, msgspec.inspect.Metadata):
        return ""
    return str((kind.extra_json_schema or {}).get("description", ""))
