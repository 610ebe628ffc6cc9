"""The one line that says where one is: which agent, how the connection stands, who is active, and what one may do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from widgets.text.glyphs import Glyphs, glyphs
from widgets.text.line_widget import LineWidget, Span
from widgets.text.plain import plain, width_of


class Chip(NamedTuple):
    """A short state in the header, e.g. `PAUSED +123` or `REC`.

    Args:
        text: as shown.
        tone: its tone.
        keep: how long it is kept on a narrow terminal: 0 goes first, 9 never goes.
    """

    text: str
    tone: str = ""
    keep: int = 7


class HeaderData(NamedTuple):
    """What the header says. Texts are drawn as they are; an empty one is left out.

    Args:
        profile: the profile's name.
        protected: whether to paint the band that warns of a protected profile.
        agent: whose state this is.
        url: where it is kept.
        link: LIVE, STALE, CONNECTING, RECONNECTING or OFFLINE; REPLAY or AT where it is not the present; anything
            else is drawn as unknown.
        link_note: the latency, the age, or the number of tries.
        active: "blue", "green", or "" where nobody is active.
        active_text: what to say of it, e.g. "BLUE v2.4.0"; after its first word it is left out where there is no room.
        role: what it does, e.g. "ACTIVE 95 %".
        tone: "bad" or "warn" paints the whole line in that band: nobody acts, or not as one thinks.
        epoch: e.g. "41".
        guard: e.g. "guard-2 12 s".
        guard_short: the same in a word, e.g. "12 s".
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
    role: str = ""
    tone: str = ""
    epoch: str = ""
    guard: str = ""
    guard_short: str = ""
    guard_tone: str = ""
    mode: str = ""
    clock: str = ""
    chips: tuple[Chip, ...] = ()


LINK_WIDTH = 16
"""Cells the connection's state takes, so that its figures don't push the rest about."""


class _Part(NamedTuple):
    """A piece of the line.

    Args:
        forms: from the longest to the shortest.
        keeps: how long each form is kept before the next one takes its place, or the piece goes; 9 never goes.
    """

    forms: tuple[tuple[Span, ...], ...]
    keeps: tuple[int, ...]
    right: bool = False

    def spans(self, form: int) -> tuple[Span, ...]:
        """One of its forms; nothing after the last."""
        return self.forms[form] if form < len(self.forms) else ()


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
        band = self._data.tone if self._data.tone in _LOUD else "warn" if self._data.protected else "header"
        return header_line(self._data, width, glyphs()), band


_LOUD = ("bad", "warn")
GAP = 3
NARROW = 120
"""Below this width the pieces stand closer, and each is said in fewer words before another goes."""


def header_line(data: HeaderData, width: int, signs: Glyphs) -> list[Span]:
    """The header's spans for a width: in fewer words, and without what matters least, where it is narrow."""
    parts, gap = _parts(data, signs), GAP if width >= NARROW else GAP - 1
    forms = _chosen(parts, gap, width)
    gap = gap if _needs(parts, forms, gap) <= width else 1
    left, right = (
        [part.spans(form) for part, form in zip(parts, forms, strict=True) if part.right is side and part.spans(form)]
        for side in (False, True)
    )
    spans, tail = [(" ", ""), *_joined(left, gap)], [*_joined(right, gap), (" ", "")]
    blank = width - sum(width_of(text) for text, _ in (*spans, *tail))
    return [*spans, (" " * max(1, blank), ""), *tail]


def _chosen(parts: Sequence[_Part], gap: int, width: int) -> list[int]:
    """Which form of each piece: what matters least is shortened first; what that made room for is used again."""
    forms, shortened = [0] * len(parts), []
    while _needs(parts, forms, gap) > width:
        keep, _, weakest = min(
            (part.keeps[form], -at, at) if form < len(part.forms) else (9, -at, at)
            for at, (part, form) in enumerate(zip(parts, forms, strict=True))
        )
        if keep >= 9:
            return forms
        forms[weakest] += 1
        shortened.append(weakest)
    for at in reversed(shortened):
        longer = [form - (place == at) for place, form in enumerate(forms)]
        if _needs(parts, longer, gap) <= width:
            forms = longer
    return forms


def _needs(parts: Sequence[_Part], forms: Sequence[int], gap: int) -> int:
    widths = [sum(width_of(text) for text, _ in part.spans(form)) for part, form in zip(parts, forms, strict=True)]
    return 2 + sum(widths) + gap * max(0, sum(map(bool, widths)) - 1)


def _joined(pieces: Sequence[Sequence[Span]], gap: int) -> list[Span]:
    spans: list[Span] = []
    for index, piece in enumerate(pieces):
        spans += [(" " * gap, ""), *piece] if index else piece
    return spans


def _parts(data: HeaderData, signs: Glyphs) -> list[_Part]:
    parts: list[_Part] = []
    if data.profile:
        parts.append(_Part((((plain(data.profile).upper(), "accent bold"),),), (9 if data.protected else 6,)))
    if data.agent:
        parts.append(_Part((((data.agent, "strong"),),), (8,)))
    if data.url:
        whole, short = _store(data.url, MOST_STORE, signs), _store(data.url.partition("://")[2] or data.url, 14, signs)
        parts.append(_Part((((whole, "dim"),), ((short.partition(":")[0] or short, "dim"),)), (2, 7)))
    parts.append(_link(data, signs))
    parts.append(_active(data, signs))
    if data.epoch:
        parts.append(_Part(((("epoch ", "dim"), (data.epoch, "")),), (0,)))
    if data.guard:
        sign = {"ok": signs.ok, "warn": signs.warn, "bad": signs.bad}.get(data.guard_tone, signs.unknown)
        named = (("guard ", "dim"), (f"{sign} {data.guard}", data.guard_tone))
        looked = (("guard ", "dim"), (f"{sign} {data.guard_short}".rstrip(), data.guard_tone))
        parts.append(_Part((named, looked, ((f"guard {sign}", data.guard_tone),)), (2, 3, 8)))
    parts.extend(_Part((((chip.text, f"{chip.tone} bold".strip()),),), (chip.keep,), right=True) for chip in data.chips)
    if data.mode:
        parts.append(_Part((((data.mode, "dim" if data.mode == "RO" else "strong"),),), (8,), right=True))
    if data.clock:
        parts.append(_Part((((data.clock, "dim"),),), (6,), right=True))
    return parts


MOST_STORE = 40
"""Cells that a store's address takes at most; what is too long is cut on the left: its end tells stores apart."""


def _store(url: str, most: int, signs: Glyphs) -> str:
    text = plain(url)
    return text if len(text) <= most else signs.ellipsis + text[len(text) - most + 1 :]


def _link(data: HeaderData, signs: Glyphs) -> _Part:
    """How the connection stands; a latency may go, an age may not."""
    glyph, tone = link_sign(data.link, signs)
    note = f" {data.link_note}" if data.link_note else ""
    gap = " " * max(0, LINK_WIDTH - 2 - width_of(data.link) - width_of(note))
    word, loud = (f"{glyph} {data.link}", f"{tone} bold"), tone if tone != "ok" else ""
    if tone != "ok":
        return _Part(((word, (note + gap, loud)), (word, (note, loud))), (1, 9))
    return _Part(((word, (note + gap, loud)), (word,)), (1, 9))


def _active(data: HeaderData, signs: Glyphs) -> _Part:
    """Who acts, on a ground of its own: nobody has to look for it."""
    if data.active:
        slot = data.active_text.partition(" ")[0]
        tone, words = f"{data.active} bold reverse", data.role or "ACTIVE"
        forms = tuple(((f" {signs.active} {text} {words} ", tone),) for text in (data.active_text, slot))
        return _Part(forms, (4, 9))
    sign = {"bad": signs.bad, "warn": signs.warn, "ok": signs.ok}.get(data.tone, signs.unknown)
    text = ": ".join(part for part in (data.active_text or "nobody is known to act", data.role) if part)
    return _Part((((f" {sign} {text} ", f"{data.tone or 'warn'} bold reverse"),),), (9,))


def link_sign(link: str, signs: Glyphs) -> tuple[str, str]:
    """The glyph and the tone of a connection's state."""
    return {
        "LIVE": (signs.live, "ok"),
        "STALE": (signs.stale, "warn"),
        "CONNECTING": (signs.reconnecting, "info"),
        "RECONNECTING": (signs.reconnecting, "warn"),
        "OFFLINE": (signs.offline, "bad"),
        "REPLAY": (signs.replay, "info"),
        "AT": (signs.replay, "info"),
    }.get(link, (signs.unknown, "warn"))
