"""Keys and words of a console that shows what was: from event to event, and to a moment."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from console.domain.errors import ConsoleError
from console.domain.seen.observation import Observation
from console.domain.seen.playback import HasPresent, LooksBack
from console.screens.frame.host import Host
from console.screens.frame.panels import PanelScreen
from widgets.frame.panel import Panel

LOOKING_KEYS: Final[tuple[Binding, ...]] = (
    Binding(
        "left_square_bracket",
        "at_event(False)",
        "Event",
        id="view.at_previous_event",
        tooltip="Back to the event before: switch, flag, trip, canary",
        show=False,
    ),
    Binding(
        "right_square_bracket",
        "at_event(True)",
        "Event",
        id="view.at_next_event",
        tooltip="On to the next event: switch, flag, trip, canary",
        show=False,
    ),
)
"""Bound on every screen; where nothing can be looked back at they say so."""


LIVE: Final = "live"
THEN: Final = "then"
"""What stands in a panel's corner for its age, where what it shows was new: of the present, and of a moment before."""


class LookingBack(PanelScreen):
    """A screen that can show what was."""

    def age_panels(self, observation: Observation) -> None:
        """No panel calls live what is not of the present."""
        if observation.looking is not None:
            for panel in self.query(Panel):
                if panel.age == LIVE:
                    panel.age = THEN

    def action_at_event(self, forward: bool) -> None:
        """To the next event, or to the one before."""
        source = self.host.source
        if isinstance(source, LooksBack):
            source.to_event(forward=forward)
        else:
            self.say("This console shows the present, and can't look back.", "info")


def look_at(host: Host, text: str) -> None:
    """`:at 14:03`: show that moment."""
    source = host.source
    if not isinstance(source, LooksBack):
        host.say("This console shows the present, and can't look back.", "info")
        return
    if not text.strip():
        host.say("at: when? 14:03, 14:03:11, 15m (ago), or 2026-03-14T14:03.", "info")
        return
    try:
        source.seek(text)
    except ConsoleError as error:
        host.say(str(error), "warn")


def look_at_now(host: Host) -> None:
    """`:live`: show the present again."""
    source = host.source
    if isinstance(source, HasPresent) and source.looks_back:
        source.to_live()
        host.say("This is the present.", "info")
    elif isinstance(source, HasPresent):
        host.say("This is the present already.", "info")
    else:
        host.say("There is no present here to return to.", "info")
