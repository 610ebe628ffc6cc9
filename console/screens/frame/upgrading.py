"""What the keys of every screen mean while an upgrade goes on; nothing of it is loaded while none does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from console.domain.seen.observation import Observation
    from console.screens.frame.host import Host


LATELY_S: Final = 1_800.0
"""For so long after a switch the footer names the key of the first decisions."""


class Next(NamedTuple):
    """What keys mean now.

    Args:
        command: the verb that the switch key stands for; empty while no upgrade goes on.
        what: what that does, in a few words.
        lately: whether who acts was changed a short while ago.
    """

    command: str = ""
    what: str = ""
    lately: bool = False


def upgrade_word(observation: Observation | None) -> Next:
    """What the switch key does to the upgrade that goes on; a console that may not act shows it."""
    if observation is None or observation.store is None:
        return Next()
    first = observation.first
    lately = first is not None and (observation.now - first.since).total_seconds() < LATELY_S
    if observation.store.upgrade is None:
        return Next(lately=lately)
    from console.domain.upgrade.reading import SHOW, next_word
    from console.views.first import acting, run_of

    run = run_of(observation)
    if run is None:
        return Next(lately=lately)
    return Next(*(SHOW if observation.read_only else next_word(run, acting(observation.store))), lately)


def may_review(observation: Observation | None) -> bool:
    """Whether an upgrade waits for somebody who has looked at the first decisions, and this console may say so."""
    if observation is None or observation.read_only or not upgrade_word(observation).command:
        return False
    from console.views.first import to_review

    return to_review(observation)


def show_first(host: Host, observation: Observation | None) -> None:
    """The first decisions of whoever acts, to look through."""
    from console.screens.parts.details import FRAME, WIDTH
    from console.screens.parts.dialogs import TextScreen
    from console.screens.parts.first import first_lines
    from console.views.first import first_view

    if observation is not None:
        told = first_view(observation)
        host.push_screen(TextScreen(told.title, first_lines(told, min(WIDTH, host.size.width - FRAME))))
