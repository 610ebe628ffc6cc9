"""The signs that stand beside every status word, in Unicode and in ASCII.

Nothing rests on colour alone, and nothing on a glyph alone: a status is a glyph, a word and a colour. Whether the
terminal can draw more than ASCII is asked once, at start-up, and holds for the whole process.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Glyphs(NamedTuple):
    """One set of signs; every one is exactly one cell wide, so that nothing moves when a set is changed.

    Args:
        live, stale, reconnecting, offline: how the connection stands.
        ok, bad, warn, info, unknown: verdicts; `unknown` is a fact that is missing, which is not success.
        active, standby: the slot that may act, and one that may not.
        paused, recording, replay: what the view does.
        up, down, flat: directions.
        arrow: from one value to the next.
        prompt, search: before an input line.
        ellipsis, dot, rule: typography.
        box: corners and sides as in `╭╮╰╯─│`.
        levels: eight heights of a sparkline, lowest first.
        mid: a sparkline without movement.
        gap: where a sparkline has no value.
        mark: the vertical line of an event on a chart.
        series: the signs of the first and the second series of a chart.
    """

    live: str
    stale: str
    reconnecting: str
    offline: str
    ok: str
    bad: str
    warn: str
    info: str
    unknown: str
    active: str
    standby: str
    paused: str
    recording: str
    replay: str
    up: str
    down: str
    flat: str
    arrow: str
    prompt: str
    search: str
    ellipsis: str
    dot: str
    rule: str
    box: str
    levels: str
    mid: str
    gap: str
    mark: str
    series: tuple[str, str]


UNICODE: Final = Glyphs(
    live="●",
    stale="◌",
    reconnecting="↻",
    offline="✖",
    ok="✔",
    bad="✖",
    warn="▲",
    info="•",
    unknown="?",
    active="■",
    standby="□",
    paused="‖",
    recording="◉",
    replay="▶",
    up="▲",
    down="▼",
    flat="▬",
    arrow="→",
    prompt=":",
    search="/",
    ellipsis="…",
    dot="·",
    rule="─",
    box="╭╮╰╯─│",
    levels="▁▂▃▄▅▆▇█",
    mid="▄",
    gap=" ",
    mark="┊",
    series=("⣀⠤⠒", "▄▀▄"),
)

ASCII: Final = Glyphs(
    live="*",
    stale="o",
    reconnecting="@",
    offline="x",
    ok="v",
    bad="x",
    warn="!",
    info="-",
    unknown="?",
    active="#",
    standby="o",
    paused="|",
    recording="*",
    replay=">",
    up="^",
    down="v",
    flat="=",
    arrow=">",
    prompt=":",
    search="/",
    ellipsis="~",
    dot=".",
    rule="-",
    box="++++-|",
    levels="__..--==",
    mid="-",
    gap=" ",
    mark="|",
    series=("ooo", "xxx"),
)

_SEVERAL: Final = frozenset({"box", "levels", "mid", "gap", "series", "up"})
"""Signs in a row, and those that stand for another sign too."""

_WORDS: Final = {
    "σ": "sd",
    "Δ": "diff",
    "±": "+/-",
    "≥": ">=",
    "≤": "<=",
    "√": "sqrt ",
    "∞": "inf",
    "α": "alpha",
    "ρ": "rho",
}
"""Signs that one letter would not stand for: it would be read as another word, or as a unit."""

_TO_ASCII: Final = str.maketrans(
    {
        **{getattr(UNICODE, name): getattr(ASCII, name) for name in Glyphs._fields if name not in _SEVERAL},
        **dict(zip(UNICODE.box, ASCII.box, strict=True)),
        **dict(zip(UNICODE.levels, ASCII.levels, strict=True)),
        **dict(zip("−–—×µ\ufffd“”‘’␤␡↑↓←⏎␣", "---xu?\"\"'' ?^v<<_", strict=True)),
        **dict(zip("\u00a0\u202f∅━○┄╎●◌✓✗▸", "  0=o=:*ovx>", strict=True)),
        **_WORDS,
    }
)

_current = UNICODE


def glyphs() -> Glyphs:
    """The set in use."""
    return _current


def is_ascii() -> bool:
    """Whether the ASCII set is in use."""
    return _current is ASCII


def set_ascii(on: bool) -> None:
    """Choose the set for the whole process; widgets mounted later follow, those on screen at their next repaint."""
    global _current
    _current = ASCII if on else UNICODE


def to_ascii_signs(text: str) -> str:
    """The text with typographic signs replaced as `to_ascii` does, and letters left as they are."""
    return text if text.isascii() else text.translate(_TO_ASCII)


def to_ascii(text: str) -> str:
    """The text with typographic signs replaced by ASCII, those of mathematics by their names (σ by `sd`); what has no
    like (names, say) becomes `?`.
    """
    if text.isascii():
        return text
    return text.translate(_TO_ASCII).encode("ascii", "replace").decode("ascii")
