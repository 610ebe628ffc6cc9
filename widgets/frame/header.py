"""The one line that says where one is: which agent, how the connection stands, who is active, and what one may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from widgets.text.glyphs import Glyphs, glyphs
from widgets.text.line_widget import LineWidget, Span
from widgets.text.plain import plain, width_of


@dataclass(frozen=True, slots=True)
class Chip:
    """A short state in the header, e.g. `PAUSED +123` or `REC`.

    Args:
        text: as shown.
        tone: its tone.
        keep: how long it is kept on a narrow terminal: 0 goes first, 9 never goes.
    """

    text: str
    tone: str = ""
    keep: int = 7


@dataclass(frozen=True, slots=True)
class HeaderData:
    """What the header says. Texts are drawn as they are; an empty one is left out.

    Args:
        profile: the profile's name.
        protected: whether to paint the band that warns of a protected profile.
        agent: whose state this is.
        url: where it is kept.
        link: LIVE, STALE, CONNECTING, RECONNECTING or OFFLINE; anything else is drawn as unknown.
        link_note: the latency, the age, or the number of tries.
        active: "blue", "green", or "" where nobody is active.
        active_text: what to say of it, e.g. "BLUE v2.4.0".
        epoch: e.g. "41".
        guard: e.g. "guard-2 12 s".
        guard_tone: "ok", "warn", "bad", or "" where it is unknown.
        mode: RO, RW or RW:locked.
        clock: e.g. "14:03:11Z".
        chips: more states.
    """

    profile: str = ""
    protected: bool = False
    agent: str = ""
    url: str = ""
    link: str = "CONNECTING"
    link_note: str = ""
    active: str = ""
    active_text: str = ""
    epoch: str = ""
    guard: str = ""
    guard_tone: str = ""
    mode: str = ""
    clock: str = ""
    chips: tuple[Chip, ...] = ()


LINK_WIDTH = 16
"""Cells the connection's state takes, so that its figures don't push the rest about."""


@dataclass(frozen=True, slots=True)
class _Part:
    spans: tuple[Span, ...]
    keep: int
    right: bool = False
    short: tuple[Span, ...] = ()

    @property
    def width(self) -> int:
        return sum(width_of(text) for text, _ in self.spans)


class HeaderBar(LineWidget):
    """One line; what matters least goes first when it gets narrow."""

    DEFAULT_CSS = """
    HeaderBar { height: 1; width: 1fr; dock: top; }
    """

    def __init__(self, data: HeaderData | None = None, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._data = data or HeaderData()

    @property
    def data(self) -> HeaderData:
        """What is shown."""
        return self._data

    def show(self, data: HeaderData) -> None:
        """Show this, if it differs."""
        if data != self._data:
            self._data = data
            self.refresh()

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        return header_line(self._data, width, glyphs()), "warn" if self._data.protected else "header"


GAP = 3
KEPT_SHORT = 6
"""How long a part is kept once it was shortened."""


def header_line(data: HeaderData, width: int, signs: Glyphs) -> list[Span]:
    """The header's spans for a width: everything while it fits, then without what matters least."""
    parts = _parts(data, signs)
    while len(parts) > 1 and _needs(parts) > width:
        weakest = min(parts, key=lambda part: (part.keep, -parts.index(part)))
        if weakest.keep >= 9:
            break
        if weakest.short:
            parts[parts.index(weakest)] = _Part(weakest.short, KEPT_SHORT, weakest.right)
        else:
            parts.remove(weakest)
    left = [part for part in parts if not part.right]
    right = [part for part in parts if part.right]
    gap = GAP if _needs(parts) <= width else 1
    spans: list[Span] = [(" ", "")]
    for index, part in enumerate(left):
        if index:
            spans.append((" " * gap, ""))
        spans.extend(part.spans)
    used = sum(width_of(text) for text, _ in spans)
    tail: list[Span] = []
    for index, part in enumerate(right):
        if index:
            tail.append((" " * gap, ""))
        tail.extend(part.spans)
    tail.append((" ", ""))
    blank = width - used - sum(width_of(text) for text, _ in tail)
    return [*spans, (" " * max(1, blank), ""), *tail]


def _needs(parts: Sequence[_Part]) -> int:
    return 2 + sum(part.width for part in parts) + GAP * max(0, len(parts) - 1)


def _parts(data: HeaderData, signs: Glyphs) -> list[_Part]:
    parts: list[_Part] = []
    if data.profile:
        parts.append(_Part(((plain(data.profile).upper(), "accent bold"),), 9 if data.protected else 4))
    if data.agent:
        parts.append(_Part(((data.agent, "strong"),), 5))
    if data.url:
        parts.append(_Part(((data.url, "dim"),), 0))
    glyph, tone = link_sign(data.link, signs)
    note = f" {data.link_note}" if data.link_note else ""
    gap = " " * max(0, LINK_WIDTH - 2 - width_of(data.link) - width_of(note))
    parts.append(_Part(((f"{glyph} {data.link}", f"{tone} bold"), (note + gap, tone if tone != "ok" else "")), 9))
    if data.active:
        parts.append(_Part((("ACTIVE ", "dim"), (f"{signs.active} {data.active_text}", f"{data.active} bold")), 9))
    else:
        parts.append(_Part((("ACTIVE ", "dim"), (f"{signs.unknown} {data.active_text or 'nobody'}", "warn bold")), 9))
    if data.epoch:
        parts.append(_Part((("epoch ", "dim"), (data.epoch, "")), 3))
    if data.guard:
        sign = {"ok": signs.ok, "warn": signs.warn, "bad": signs.bad}.get(data.guard_tone, signs.unknown)
        short = ((f"guard {sign}", data.guard_tone),)
        parts.append(_Part((("guard ", "dim"), (f"{sign} {data.guard}", data.guard_tone)), 2, short=short))
    parts.extend(_Part(((chip.text, f"{chip.tone} bold".strip()),), chip.keep, right=True) for chip in data.chips)
    if data.mode:
        parts.append(_Part(((data.mode, "dim" if data.mode == "RO" else "strong"),), 8, right=True))
    if data.clock:
        parts.append(_Part(((data.clock, "dim"),), 1, right=True))
    return parts


def link_sign(link: str, signs: Glyphs) -> tuple[str, str]:
    """The glyph and the tone of a connection's state."""
    return {
        "LIVE": (signs.live, "ok"),
        "STALE": (signs.stale, "warn"),
        "CONNECTING": (signs.reconnecting, "info"),
        "RECONNECTING": (signs.reconnecting, "warn"),
        "OFFLINE": (signs.offline, "bad"),
    }.get(link, (signs.unknown, "warn"))
