"""To another agent, or another profile, without leaving the console."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from console.domain.errors import ConsoleError

if TYPE_CHECKING:
    from console.domain.attached import Attached
    from console.screens.frame.host import Host


async def to_agent(host: Host, name: str, *, from_fleet: bool = False) -> None:
    """Attach to another agent of the same store.

    Args:
        host: what is attached.
        name: whose; empty to list those that are known.
        from_fleet: whether `esc` leads back to the fleet.
    """
    if not name:
        host.say(f"agent NAME goes to another agent. {known_text(host)}", "info", fade_s=30)
    else:
        await _change(host, lambda: host.attachments.to_agent(name), f"{name} …", ("fleet",) if from_fleet else ())


async def to_profile(host: Host, name: str) -> None:
    """Attach to another profile; empty to list those that there are."""
    if not name:
        names = ", ".join(one for one, _text in host.attachments.profiles) or "none"
        host.say(f"profile NAME goes to another profile. There are: {names}.", "info", fade_s=30)
    else:
        await _change(host, lambda: host.attachments.to_profile(name), f"profile {name} …", ())


async def _change(host: Host, attach: Callable[[], Awaitable[Attached]], what: str, trail: tuple[str, ...]) -> None:
    """Attach, or stay where one is and say why."""
    if running := host.commands_running:
        host.say(f"{', '.join(sorted(running))} is still being carried out; change once it is done.", "warn")
        return
    if host.changing:
        host.say("The console is on its way to another agent already.", "warn")
        return
    host.changing = True  # what is pressed meanwhile would reach one agent or the other
    host.say(f"To {what}", "info", fade_s=0)
    try:
        await host.attach(await attach(), trail)
    except ConsoleError as error:
        host.say(str(error), "warn", fade_s=30)
    finally:
        host.changing = False


def known_text(host: Host) -> str:
    """The agents that are known, as many as can be said."""
    names = list(host.attachments.agents)
    more = f" and {len(names) - 20:,} more: 0 lists them" if len(names) > 20 else ""
    return f"Known: {', '.join(names[:20])}{more}." if names else "0 looks for agents."
