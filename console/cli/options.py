"""The options that every verb has, before or after its name, and what they add up to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from console.domain.errors import UsageError
from console.domain.text import clean, redact_url

if TYPE_CHECKING:
    from console.config import Settings

F = TypeVar("F", bound=Callable[..., Any])

_COMMON: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--url",
        metavar="URL",
        help="The store: redis://, rediss://, unix://, redis+sentinel:// … None: the embedded one.",
    ),
    click.option("--agent", metavar="NAME", help="Whose keys; the default agent is called agent."),
    click.option("--decisions", metavar="PATH", multiple=True, help="A decision log (JSON lines); globs; repeatable."),
    click.option(
        "--divergences", metavar="PATH", multiple=True, help="What shadows of plain agents wrote (JSON lines)."
    ),
    click.option("--state-file", metavar="PATH", help="The agent's JSON state file."),
    click.option("--venue", metavar="FILE", help="The venue's document (docs/venues.md)."),
    click.option("--slot", "slot_map", metavar="SLOT=VERSION", multiple=True, help="Which version runs in which slot."),
    click.option("--profile", metavar="NAME", help="A profile of the configuration."),
    click.option("--config", metavar="FILE", help="The configuration file."),
    click.option("--reason", metavar="TEXT", help="Why; it goes into the receipt and the audit."),
    click.option("--who", metavar="NAME", help="Who; else user@host."),
    click.option(
        "--read-only/--no-read-only", default=None, help="Refuse every command; or allow them on a protected profile."
    ),
    click.option(
        "--ascii/--no-ascii", "ascii_only", default=None, help="Signs and frames in ASCII alone; [ui] ascii sets it."
    ),
    click.option("--yes", "-y", is_flag=True, default=None, help="Confirm what would be asked."),
    click.option("--json", "as_json", is_flag=True, default=None, help="Data on stdout as JSON."),
    click.option("--csv", "as_csv", is_flag=True, default=None, help="Rows on stdout as CSV."),
)


@dataclass(slots=True)
class Session:
    """What was given on the command line, before and after the verb together; the later one wins."""

    given: dict[str, Any] = field(default_factory=dict)

    def merge(self, options: dict[str, Any]) -> None:
        """Add what was given at one place."""
        for name, value in options.items():
            if value is not None and value != ():
                self.given[name] = value

    @property
    def as_json(self) -> bool:
        """Whether data is wanted as JSON; asked where nothing but that and text can be had.

        Raises:
            UsageError: it is wanted as CSV, which this verb's report is not made of.
        """
        if self.as_csv:
            raise UsageError("This verb's report has no rows to print as CSV.", "--json prints it as data.")
        return bool(self.given.get("as_json"))

    @property
    def as_csv(self) -> bool:
        """Whether rows are wanted as CSV."""
        return bool(self.given.get("as_csv"))

    @property
    def as_data(self) -> bool:
        """Whether a program is to read it."""
        return bool(self.given.get("as_json")) or self.as_csv

    @property
    def yes(self) -> bool:
        """Whether everything is confirmed beforehand."""
        return bool(self.given.get("yes"))

    @property
    def reason(self) -> str:
        """The reason given; empty for none."""
        return str(self.given.get("reason") or "")

    def arguments(self) -> list[str]:
        """What was given, as arguments for another call; without the store's address, which may hold a password."""
        arguments: list[str] = []
        for name in ("agent", "state_file", "venue", "profile", "config", "who"):
            if value := self.given.get(name):
                arguments += [f"--{name.replace('_', '-')}", str(value)]
        for name, option in (("decisions", "--decisions"), ("divergences", "--divergences"), ("slot_map", "--slot")):
            for value in self.given.get(name, ()):
                arguments += [option, str(value)]
        for name, yes, no in (("read_only", "--read-only", "--no-read-only"), ("ascii_only", "--ascii", "--no-ascii")):
            if (value := self.given.get(name)) is not None:
                arguments.append(yes if value else no)
        return arguments

    def settings(self, *, environ: Mapping[str, str] | None = None) -> Settings:
        """The settings in force.

        Args:
            environ: the environment; the process's own by default.

        Raises:
            UsageError: something in them is wrong.
        """
        from msgspec.structs import replace

        from console import config

        overrides = {
            name: self.given.get(name)
            for name in ("url", "agent", "decisions", "divergences", "state_file", "venue", "who", "read_only")
        }
        if (url := overrides["url"]) and redact_url(url) != clean(url, len(url)):
            click.echo(
                "A password on the command line is seen by every user of this machine (docs/operators.md).", err=True
            )
        if slots := self.given.get("slot_map"):
            overrides["slots"] = config.parse_slot_options(slots)
        file = self.given.get("config")
        settings = config.load(
            overrides,
            environ=environ,
            file=Path(file).expanduser() if file else None,
            profile=self.given.get("profile"),
        )
        if (ascii_only := self.given.get("ascii_only")) is not None:
            origins = settings.origins | {"ui.ascii": "--ascii" if ascii_only else "--no-ascii"}
            settings = replace(settings, ui=replace(settings.ui, ascii=bool(ascii_only)), origins=origins)
        if settings.ui.ascii and not self.as_data:
            from console.cli.signs import write_ascii

            write_ascii()
        return settings


_NAMES = tuple(
    parameter.name or "" for parameter in (decorator(lambda: None).__click_params__[0] for decorator in _COMMON)
)


def common_names() -> frozenset[str]:
    """The names of the options that every verb has."""
    return frozenset(_NAMES)


def common(function: F) -> F:
    """Give a click command the common options; its function gets a `Session` first, and then its own arguments."""

    def gathering(*args: Any, **kwargs: Any) -> Any:
        session = click.get_current_context().find_object(Session) or Session()
        session.merge({name: kwargs.pop(name) for name in _NAMES})
        return function(session, *args, **kwargs)

    gathering.__name__ = function.__name__
    gathering.__doc__ = function.__doc__
    gathering.__click_params__ = list(getattr(function, "__click_params__", []))  # type: ignore[attr-defined]
    for decorator in reversed(_COMMON):
        decorator(gathering)
    return gathering  # type: ignore[return-value]
