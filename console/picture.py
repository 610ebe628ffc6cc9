"""What an operator would see, as a file: the same screens, run without a terminal on one observation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from console.domain.board.boards import NoBoards, Seen
from console.domain.errors import Refused, UsageError
from console.domain.fleet.board import FleetSeen, NoFleet
from console.domain.operator.command import Answer, CommandInfo, Preview
from console.domain.operator.receipt import Receipt
from console.domain.seen.observation import Observation
from console.screens.frame.ui_settings import UiSettings

if TYPE_CHECKING:
    from textual.theme import Theme

    from console.app import ConsoleApp

FORMATS: Final = ("svg", "png", "html", "txt", "json")
SMALLEST: Final = (20, 5)
LARGEST: Final = (500, 200)


class StaticSource:
    """A source of one observation."""

    def __init__(self, observation: Observation) -> None:
        self._observation = observation

    async def run(self, publish: Callable[[Observation], None]) -> None:
        """Publish it once; then nothing happens until it is cancelled."""
        publish(self._observation)
        await asyncio.Event().wait()

    def refresh(self) -> None:
        """Nothing new can be seen."""


class LookingOnly:
    """An operator who has a catalogue and may do nothing of it.

    Args:
        catalogue: for the keys in the footer.
        because: what this is, that nothing can be done in it.
    """

    def __init__(self, catalogue: Sequence[CommandInfo] = (), because: str = "this is a picture") -> None:
        self._catalogue = tuple(catalogue)
        self._because = because

    @property
    def catalogue(self) -> Sequence[CommandInfo]:
        """What could be done elsewhere."""
        return self._catalogue

    async def preview(self, name: str, args: Mapping[str, str]) -> Preview:
        """Refused."""
        raise Refused(f"{name}: {self._because}.")

    async def execute(self, name: str, args: Mapping[str, str], *, reason: str = "") -> Receipt:
        """Refused."""
        raise Refused(f"{name}: {self._because}.")

    async def answer(self, name: str, args: Mapping[str, str]) -> Answer:
        """Refused."""
        raise Refused(f"{name}: {self._because}.")

    async def unlock(self, name: str) -> None:
        """Refused."""
        raise Refused(f"unlock: {self._because}.")

    async def suggestions(self, kind: str) -> Sequence[tuple[str, str]]:
        """Not looked up."""
        raise Refused(f"{kind}: {self._because};", f"`agent-console {kind} list` lists them.")


async def export(
    observation: Observation,
    *,
    screen: str = "overview",
    size: tuple[int, int] = (160, 48),
    format: str = "svg",
    settings: UiSettings | None = None,
    catalogue: Sequence[CommandInfo] = (),
    themes: Sequence[Theme] = (),
    seen: Seen = Seen(),  # noqa: B008 - a value
    fleet: FleetSeen = FleetSeen(),  # noqa: B008 - a value
) -> bytes:
    """A screen as it would look.

    Args:
        observation: what is shown.
        screen: a screen's name.
        size: columns and rows, 20×5 to 500×200.
        format: "svg", "png", "txt", "html", or "json" (the state itself: as `status --json` gives it, or what is held,
            or the checklist).
        settings: theme and signs.
        catalogue: the commands whose keys stand in the footer.
        themes: the operator's own, beside the built-in ones.
        seen: what was read for the boards of the screens 6 and 7.
        fleet: what was read of all agents, for screen 0.

    Raises:
        UsageError: there is no such screen or format, the size is out of range, or PNG can't be drawn here.
        Refused: PNG needs a font that is not here.
    """
    if format == "json":
        return as_json(observation, screen, seen, fleet)
    from console.app import ConsoleApp

    check_look(screen, size)
    if format not in FORMATS:
        raise UsageError(f"There is no format {format!r}.", f"The formats are: {', '.join(FORMATS)}.")
    app = ConsoleApp(
        StaticSource(observation),
        LookingOnly(catalogue),
        settings or UiSettings(),
        clock=lambda: observation.now,
        themes=themes,
        boards=NoBoards(seen),
        fleet=NoFleet(fleet),
    )
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        if screen != "overview":
            await app.go_to(screen)
        await pilot.pause()
        await pilot.pause(0.05)
        if format == "txt":
            return screen_text(app).encode()
        svg = app.export_screenshot(title=f"agent-console · {observation.agent}")
    if format == "png":
        from console.raster import to_png

        return to_png(svg)
    return svg.encode() if format == "svg" else _html(svg, observation.agent).encode()


async def every_screen(
    observation: Observation,
    *,
    size: tuple[int, int] = (160, 48),
    settings: UiSettings | None = None,
    catalogue: Sequence[CommandInfo] = (),
    seen: Seen = Seen(),  # noqa: B008 - a value
) -> list[tuple[str, bytes]]:
    """Every screen as it would look, each as svg and as text: names of files, with their content.

    Args:
        observation: what is shown.
        size, settings, catalogue, seen: as in `export`.
    """
    from console.app import ConsoleApp
    from console.screens.frame.names import SCREENS

    app = ConsoleApp(
        StaticSource(observation),
        LookingOnly(catalogue),
        settings or UiSettings(),
        clock=lambda: observation.now,
        boards=NoBoards(seen),
    )
    pictures: list[tuple[str, bytes]] = []
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for screen in SCREENS:
            await app.go_to(screen.name)
            await pilot.pause()
            await pilot.pause(0.05)
            svg = app.export_screenshot(title=f"{observation.agent} · {screen.title}")
            pictures.append((f"{screen.name}.txt", screen_text(app).encode()))
            pictures.append((f"{screen.name}.svg", svg.encode()))
    return pictures


def check_look(screen: str, size: tuple[int, int]) -> None:
    """Refuse what can't be drawn.

    Raises:
        UsageError: there is no such screen, or the size is out of range.
    """
    from console.screens.frame.names import SCREENS

    names = [info.name for info in SCREENS]
    if screen not in names:
        raise UsageError(f"There is no screen {screen!r}.", f"The screens are: {', '.join(names)}.")
    if not all(low <= given <= high for low, given, high in zip(SMALLEST, size, LARGEST, strict=True)):
        raise UsageError(f"{size[0]}x{size[1]} is out of range.", "Give 20x5 to 500x200.")


def screen_text(app: ConsoleApp) -> str:
    """What is on screen, as lines of text."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    text = ["".join(segment.text for segment in strip).rstrip() for strip in lines[:height]]
    return "\n".join(line[: width * 2] for line in text) + "\n"


def _html(svg: str, title: str) -> str:
    from html import escape

    return (
        f"<!doctype html>\n<meta charset=utf-8>\n<title>{escape(title)}</title>\n"
        f"<style>body{{margin:0;display:grid;place-items:center;min-height:100vh}}svg{{max-width:100%}}</style>\n{svg}\n"
    )


def as_json(observation: Observation, screen: str, seen: Seen, fleet: FleetSeen = FleetSeen()) -> bytes:  # noqa: B008
    """What a screen shows, for programs: of a board what was read for it, of the fleet what `fleet --json` gives, else
    what `status --json` gives."""
    import json

    from console.views.board_report import board_report
    from console.views.status.report import status_report

    if screen == "fleet" and fleet.reading is not None:
        from console.views.fleet.report import FleetDocument

        document = FleetDocument.of(fleet.reading).document()
        return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
    report = board_report(str(observation.agent), screen, seen) or status_report(observation)
    return json.dumps(report.document(), indent=2, ensure_ascii=False).encode() + b"\n"
