"""Without a verb: the console itself, attached to the store and the logs that the settings name."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from typing import TYPE_CHECKING, Final

from console import paths
from console.cli.attaching import Attaching
from console.cli.first_run import first_run
from console.cli.options import Session
from console.cli.runtime import refuse_what_is_no_primary, store_url
from console.cli.warm import warm_up
from console.config import Settings
from console.domain.errors import UsageError
from console.domain.text import clean

if TYPE_CHECKING:
    from textual.theme import Theme

    from console.screens.frame.ui_settings import UiSettings


FRAMES_A_SECOND: Final = "120"
"""How soon a key is drawn: within 8 ms and not 17. What comes by itself is drawn as often as `[ui] hz` says."""

SWITCH_S: Final = 0.001
"""So long a thread that reads runs on while a key waits for the interpreter: at each of its steps, once."""

STARTED_AFTER_S: Final = 3.0
"""By then everything that stays has been made."""

POOR: Final = frozenset({"dumb", "unknown"})
"""Kinds of terminal that obey no sequence."""

_HEADLESS = "`agent-console status --json` says the same without one; `agent-console export` draws it to a file."


def require_terminal(hint: str = _HEADLESS) -> None:
    """Refuse to draw where nobody looks.

    Args:
        hint: which verb does the same without a terminal.

    Raises:
        UsageError: stdin, stdout or stderr is not a terminal.
    """
    if os.environ.get("TEXTUAL_DRIVER"):  # a browser looks
        return
    for name, stream in (("stdin", sys.stdin), ("stdout", sys.stdout), ("stderr", sys.stderr)):  # it draws on stderr
        if not stream.isatty():
            raise UsageError(f"The console needs a terminal, and {name} is none.", hint)
    if not os.environ.get("TERM"):
        raise UsageError("The console can't draw: TERM names no kind of terminal.", hint)
    if os.environ["TERM"] in POOR:
        raise UsageError(f"The console can't draw on a terminal of the kind {os.environ['TERM']}.", hint)


def attach(session: Session) -> None:
    """Open the console in this terminal, until the operator quits or the terminal goes away.

    Raises:
        UsageError: there is no terminal, or a setting is wrong.
    """
    require_terminal()
    settings = session.settings()
    url = store_url(settings)
    asyncio.run(refuse_what_is_no_primary(url))
    sys.exit(run_console(session, settings, url))


def run_console(session: Session, settings: Settings, url: str, *, shown_url: str = "") -> int:
    """Open the console on a store; returns its exit code."""
    os.environ.setdefault("TEXTUAL_FPS", FRAMES_A_SECOND)  # read when Textual is imported
    from console.app import ConsoleApp

    sys.setswitchinterval(SWITCH_S)
    themes = own_themes()

    async def main() -> int:
        asyncio.get_running_loop().call_later(STARTED_AFTER_S, _keep_what_started)
        attaching = Attaching(session, settings, url, shown_url=shown_url)
        first = attaching.attach(settings, url, shown_url)
        app = ConsoleApp(
            first.source,
            first.operator,
            ui_settings(settings),
            themes=themes,
            boards=first.boards,
            browser=first.browser,
            fleet=first.fleet,
            attachments=attaching,
        )
        app.attached, app.painted = first, warm_up
        try:
            code = await app.run_async(mouse=settings.ui.mouse)
        finally:
            await app.attached.aclose()
            await attaching.aclose()
        return code if isinstance(code, int) else app.return_code or 0

    return asyncio.run(main())


def _keep_what_started() -> None:
    """What is there by now stays: it is not gone through again, and garbage is looked for as usual."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def own_themes() -> tuple[Theme, ...]:
    """The operator's own themes.

    Raises:
        UsageError: something is wrong with them; everything that is, in one message.
    """
    folder = paths.themes_dir()
    if not folder.is_dir():
        return ()
    from themes.loader import ThemeErrors, load_themes

    try:
        return load_themes(folder)
    except ThemeErrors as error:
        problems = "\n  ".join(str(clean(problem, 400)) for problem in error.problems)
        raise UsageError(
            f"The themes in {folder} can't be used:\n  {problems}", "Mend them, or move the files out of that folder."
        ) from error


def ui_settings(settings: Settings) -> UiSettings:
    """How the screen looks, from the settings and the terminal's own wishes (`NO_COLOR`)."""
    from console.screens.frame.ui_settings import UiSettings

    ui = settings.ui
    return UiSettings(
        theme="mono" if os.environ.get("NO_COLOR") else ui.theme,
        ascii=ui.ascii,
        mouse=ui.mouse,
        hz=ui.hz,
        bell=ui.bell,
        fleet=ui.fleet,
        keys=ui.keys,
        profile=settings.profile,
        protected=settings.protected,
        first_run=first_run(settings),
    )
