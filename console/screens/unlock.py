"""Unlocking a protected profile: it takes its name, typed in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.domain.errors import ConsoleError
from widgets.typing.confirm import ConfirmData

if TYPE_CHECKING:
    from console.app import ConsoleApp


async def unlock(app: ConsoleApp, name: str) -> None:
    """Let commands through until the console is left.

    Args:
        app: where the name is asked for, and what came of it is said.
        name: the profile's, if it was typed already.
    """
    seen = app.observation
    if seen is None or not seen.locked:
        if seen is not None and seen.read_only:
            app.say("This console was started read-only and stays so. Start it without --read-only.", "warn")
        else:
            app.say("Nothing is locked here.", "info")
        return
    if not name:
        from console.screens.dialogs import ConfirmScreen

        question = ConfirmData(
            title=f"Unlock {seen.profile}?",
            warnings=("It is protected. Commands will reach it until this console is left.",),
            typed_name=seen.profile,
            yes="Unlock",
            danger=True,
        )
        if not (await app.conduct.ask(ConfirmScreen(question))).yes:
            app.say("It stays locked.", "info")
            return
        name = seen.profile
    try:
        await app.operator.unlock(name)
    except ConsoleError as error:
        app.say(str(error), "warn", fade_s=30)
        return
    app.say(f"Unlocked: commands reach {seen.profile} until this console is left.", "warn", fade_s=30)
    app.source.refresh()
