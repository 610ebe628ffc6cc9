"""What a screen is tested with: a source that says what it is told to, an operator that remembers what was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from console.app import ConsoleApp
from console.commands.catalogue import commands
from console.domain.errors import ConsoleError, Refused
from console.domain.operator.command import Answer, CommandInfo, GateLine, Preview
from console.domain.operator.receipt import Change, Receipt
from console.domain.seen.observation import Observation
from console.screens.frame.ui_settings import UiSettings
from tests.scenarios import NOW, observation

CATALOGUE = tuple(command.info for command in commands())
WIDE = (160, 48)
NARROW = (80, 24)


class ScriptedSource:
    """Publishes the observations it is given, one after the other, when told to."""

    def __init__(self, *observations: Observation) -> None:
        self._first = observations
        self._publish: Callable[[Observation], None] | None = None
        self.refreshed = 0
        self.cancelled = asyncio.Event()

    async def run(self, publish: Callable[[Observation], None]) -> None:
        self._publish = publish
        for seen in self._first:
            publish(seen)
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()

    def refresh(self) -> None:
        self.refreshed += 1

    def say(self, seen: Observation) -> None:
        """Publish one more."""
        assert self._publish is not None
        self._publish(seen)


@dataclass
class RecordingOperator:
    """Has the real catalogue, does nothing, and remembers what it was asked to do."""

    catalogue: Sequence[CommandInfo] = CATALOGUE
    error: ConsoleError | None = None
    preview_error: ConsoleError | None = None
    snapshots: Sequence[tuple[str, str]] = (("20260314T140011Z", "3 min ago, blue"), ("20260314T131131Z", "52 min ago"))
    gates: tuple[GateLine, ...] = ()
    done: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    previewed: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    hold: asyncio.Event | None = None
    unlocked: list[str] = field(default_factory=list)

    async def preview(self, name: str, args: Mapping[str, str]) -> Preview:
        self.previewed.append((name, dict(args)))
        if self.preview_error is not None:
            raise self.preview_error
        return Preview(
            title=f"{name}?",
            changes=(Change("active version", "blue", "green"),),
            warnings=("plain agents obey at their next poll",),
            gates=self.gates,
            irreversible=("3 trades since the snapshot",) if name == "snapshot restore" else (),
            arguments={**args, "expect_epoch": "41"},
        )

    async def answer(self, name: str, args: Mapping[str, str]) -> Answer:
        self.done.append((name, dict(args), ""))
        if self.error is not None:
            raise self.error
        return Answer({}, (f"{name} of {args}",), ("a note",))

    async def execute(self, name: str, args: Mapping[str, str], *, reason: str = "") -> Receipt:
        self.done.append((name, dict(args), reason))
        if self.hold is not None:
            await self.hold.wait()
        if self.error is not None:
            raise self.error
        changes = (Change("active version", "blue", "green"),)
        return Receipt("r1", NOW, name, "atlas", changes, 1.4, "ana@ops-1", reversible=True)

    async def unlock(self, name: str) -> None:
        if name != "PROD":
            raise Refused(f"{name!r} is not the profile's name; it stays locked.")
        self.unlocked.append(name)

    async def suggestions(self, kind: str) -> Sequence[tuple[str, str]]:
        return self.snapshots if kind == "snapshot" else [("crash_target", "number"), ("accept_escrows", "bool")]


def console(scenario: str | Observation = "blue-active", **settings: object) -> ConsoleApp:
    """A console on a scenario; its `source` and `operator` are the doubles."""
    seen = observation(scenario) if isinstance(scenario, str) else scenario
    return ConsoleApp(
        ScriptedSource(seen),
        RecordingOperator(),
        UiSettings(**settings),  # type: ignore[arg-type]
        clock=lambda: NOW,
    )


def operator_of(app: ConsoleApp) -> RecordingOperator:
    """The operator of a console made by `console`."""
    assert isinstance(app.operator, RecordingOperator)
    return app.operator


def source_of(app: ConsoleApp) -> ScriptedSource:
    """The source of a console made by `console`."""
    assert isinstance(app.source, ScriptedSource)
    return app.source


def status_of(app: ConsoleApp) -> str:
    """What the status line says."""
    from widgets.frame.status_line import StatusLine

    assert app.console_screen is not None
    return app.console_screen.query_one(StatusLine).text


def drawn(app: ConsoleApp) -> str:
    """What is on screen, as text."""
    from console.picture import screen_text

    return screen_text(app)
