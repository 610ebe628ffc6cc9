"""Unlocking a protected profile: it takes its name, typed in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.domain.errors import ConsoleError
from widgets.typing.question import ConfirmData

if TYPE_CHECKING:
    from console.screens.frame.host import Host


async def unlock(host: Host, name: str) -> None:
    """Let commands through until the console is left.

    Args:
        host: where the name is asked for, and what came of it is said.
        name: the profile's, if it was typed already.
    """
    seen = host.observation
    if seen is None or not seen.locked:
        if seen is not None and seen.read_only:
            host.say("This console was started read-only and stays so. Start it without --read-only.", "warn")
        else:
            host.say("Nothing is locked here.", "info")
        return
    if not name:
        from console.screens.parts.dialogs import ConfirmScreen

        question = ConfirmData(
            title=f"Unlock {seen.profile}?",
            warnings=("It is protected. Commands will reach it until this console is left.",),
            typed_name=seen.profile,
            yes="Unlock",
            danger=True,
        )
        if not (await host.ask(ConfirmScreen(question))).yes:
            host.say("It stays locked.", "info")
            return
        name = seen.profile
    try:
        await host.operator.unlock(name)
    except ConsoleError as error:
        host.say(str(error), "warn", fade_s=30)
        return
    host.say(f"Unlocked: commands reach {seen.profile} until this console is left.", "warn", fade_s=30)
    host.source.refresh()
