"""Keys of a replay: play and stand still, step, faster and slower. Bound, and in the footer, only while it replays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.binding import Binding

from console.domain.seen.playback import Playback
from console.screens.frame.looking_back import LookingBack

if TYPE_CHECKING:
    from console.domain.seen.source import Source


def _key(key: str, action: str, label: str, id: str, tooltip: str) -> Binding:
    return Binding(key, action, label, id=id, tooltip=tooltip, show=False)


PLAYING_KEYS: Final[tuple[Binding, ...]] = (
    _key("left_parenthesis", "replay_frame(False)", "Frame", "view.replay_back", "Replay: stand still one frame back"),
    _key("right_parenthesis", "replay_frame(True)", "Frame", "view.replay_on", "Replay: stand still one frame on"),
    _key("less_than_sign", "replay_speed(False)", "Slower", "view.replay_slower", "Replay: slower, down to ×1"),
    _key("greater_than_sign", "replay_speed(True)", "Faster", "view.replay_faster", "Replay: faster, up to ×100"),
)
PLAYING_HINTS: Final = (
    "view.pause",
    "view.at_previous_event",
    "view.at_next_event",
    "view.replay_back",
    "view.replay_on",
    "view.replay_slower",
    "view.replay_faster",
    "view.command",
)
"""What the footer says in a replay, most important first: a command would be refused."""


class Playing(LookingBack):
    """A screen of a replay."""

    _asked_of: Source | None = None
    _replay: Playback | None = None

    @property
    def replay(self) -> Playback | None:
        """What plays; None where this is no replay."""
        source = self.host.source
        if source is not self._asked_of:  # asked with every frame, and slow to tell
            self._asked_of, self._replay = source, source if isinstance(source, Playback) else None
        return self._replay

    @property
    def playing_keys(self) -> tuple[Binding, ...]:
        """The keys that are bound because this is a replay."""
        return PLAYING_KEYS if self.replay is not None else ()

    def toggle_replay(self) -> bool:
        """Stand still, or go on; whether there was a replay to do it."""
        if self.replay is None:
            return False
        self.replay.toggle()
        return True

    def action_replay_frame(self, forward: bool) -> None:
        """Stand still one frame on, or back."""
        if self.replay is not None:
            self.replay.to_frame(forward=forward)

    def action_replay_speed(self, faster: bool) -> None:
        """Faster, or slower."""
        if self.replay is not None:
            self.replay.change_speed(faster=faster)
