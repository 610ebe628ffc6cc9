"""Who changes who may act, and what for: fields of every control event, hashed with it. Nothing is recognised by its
words."""

from __future__ import annotations

from enum import StrEnum


class Source(StrEnum):
    """Who acted."""

    OPERATOR = "operator"
    GUARD = "guard"
    AGENT = "agent"
    """A fenced agent's process, by its author's call or its halt file."""
    TRIP = "trip"
    """A trip-wire, in the script that recorded the result."""
    OUTSIDE = "outside"
    """Somebody wrote a key by hand, or moved a clock."""
    DRAIN = "drain"
    """The end of a drain that somebody else began."""
    STORE = "store"
    """The scripts found the store damaged, or behind what a caller had seen of it."""
    UNKNOWN = ""
    """An event that an earlier release wrote."""

    @classmethod
    def of(cls, text: str) -> Source:
        """The source of that name; unknown for any other text."""
        return cls(text) if text in set(cls) else cls.UNKNOWN

    @property
    def automatic(self) -> bool:
        """Whether no person commanded it."""
        return self not in (Source.OPERATOR, Source.UNKNOWN)


class Aim(StrEnum):
    """What somebody wants to bring about with a change, where the change alone does not tell."""

    NONE = ""
    GO_BACK = "go_back"
    """The version before becomes active again: a halt that is to be followed by the switch, and that switch."""
    FREEZE = "freeze"
    """No new entries."""
    STOP = "stop"
    """Everything stays stopped."""
    TAKE_OVER = "take_over"
    """A healthy side for one whose processes are dead."""
    HAND_OVER = "hand_over"
    """A process that ends lets the other side go on."""

    @classmethod
    def of(cls, text: str) -> Aim:
        """The aim of that name; none for any other text."""
        return cls(text) if text in set(cls) else cls.NONE
