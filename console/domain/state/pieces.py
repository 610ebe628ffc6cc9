"""A state cut into pieces that are named by their content, so that only what changed has to travel.

The text of a section is cut where its content says (after an item whose checksum has three zero bits), so an item put
in or taken out changes the piece around it and no other. A container that is the very one of the state before is not
looked at again.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from console.domain.errors import Refused, UsageError
from console.domain.state import values
from console.domain.state.document import read_section, section
from console.domain.state.records import Record
from console.domain.state.secrets import refuse_secrets
from console.domain.state.state import FIELDS, PLAIN_FIELDS, Plain, State
from console.domain.state.values import Frozen, Row
from console.domain.text import clean

MAX_BYTES: Final = 8 * 1024 * 1024
"""Of a state's text, by default; a larger one is refused, never cut."""
HASH: Final = 22
"""Characters of a piece's name: 128 bits of SHA-256, base64 for URLs."""
_LEAST, _MOST = 512, 8_192
"""Bytes of a piece, as far as its items allow."""
_LARGE: Final = 8
"""From so many items on a container is cut between them."""
_BREATH: Final = 64
"""Items between two breaths."""
_HEAD: Final = "head"
_SCALARS: Final = ("schema", "version", "session_id")
_CUT: Final = tuple(name for name in FIELDS if name not in (*_SCALARS, "timestamp"))
_PLAIN: Final = "plain."


class Pieces(NamedTuple):
    """How a state lies in pieces; its timestamp stands beside them, not in them.

    Args:
        root: the name of the whole content.
        layout: `section:number of its pieces`, parted by commas.
        hashes: the pieces' names, in their order.
        size: bytes of the state's text.
    """

    root: str
    layout: str
    hashes: tuple[str, ...]
    size: int


class Cut(NamedTuple):
    """A state that was cut: its pieces, and name → text of each."""

    pieces: Pieces
    texts: Mapping[str, bytes]


def name_of(text: bytes) -> str:
    """What a piece with this text is called."""
    return base64.urlsafe_b64encode(hashlib.sha256(text).digest()[:16]).decode().rstrip("=")


def root_of(layout: str, hashes: Iterable[str]) -> str:
    """What the whole is called."""
    return name_of(f"{layout}\n{''.join(hashes)}".encode())


class Cutter:
    """Cuts one state after the other, and remembers how the last one was cut.

    Args:
        most: bytes that a state may have.
        breathe: called every now and then, to let others go on.
    """

    def __init__(self, most: int = MAX_BYTES, breathe: Callable[[], None] = lambda: None) -> None:
        self._most = most
        self._breathe = breathe
        self._known: dict[int, tuple[Any, tuple[bytes, ...]]] = {}
        self._next: dict[int, tuple[Any, tuple[bytes, ...]]] = {}
        self._steps = 0

    def cut(self, state: State) -> Cut:
        """The pieces of a state.

        Raises:
            Refused: it is too large, holds a secret, or what can't be written.
        """
        self._next = {}
        texts: dict[str, bytes] = {}
        hashes: list[str] = []
        layout: list[str] = []
        size = 0
        try:
            for name, fragments in self._sections(state):
                before = len(hashes)
                for text in _together(fragments):
                    size += len(text)
                    if size > self._most:
                        raise Refused(
                            f"The state has more than {self._most} bytes, which is the limit; it is not kept.",
                            "Hand over less (signals, extra), or raise Settings.state_bytes.",
                        )
                    piece = name_of(text)
                    texts[piece] = text
                    hashes.append(piece)
                    self._step()
                layout.append(f"{name}:{len(hashes) - before}")
        except (ValueError, TypeError) as error:
            raise Refused(f"The state can't be written: {clean(error, 200)}.") from error
        self._known, self._next = self._next, {}
        words = ",".join(layout)
        return Cut(Pieces(root_of(words, hashes), words, tuple(hashes), size), texts)

    def _sections(self, state: State) -> Iterator[tuple[str, Iterable[bytes]]]:
        head = {name: getattr(state, name) for name in _SCALARS}
        refuse_secrets(head)
        yield _HEAD, (values.dump(head),)
        for name in _CUT:
            value = getattr(state, name)
            if value is None:
                continue
            if name == "last_actions":
                value = section(state, name)
                refuse_secrets(value, name)
                yield name, (values.dump(value),)
            else:
                yield name, self._fragments(value, name)
        for name in PLAIN_FIELDS:
            if (value := getattr(state.plain, name)) is not None:
                yield f"{_PLAIN}{name}", self._fragments(value, name)

    def _step(self) -> None:
        self._steps += 1
        if self._steps % _BREATH == 0:
            self._breathe()

    def _fragments(self, value: Any, at: str) -> tuple[bytes, ...]:
        kind = type(value)
        is_container = kind is Frozen or kind is Row
        if not is_container and not isinstance(value, Record):
            refuse_secrets(value, at)
            return (values.dump(value),)
        self._step()
        known = self._known.get(id(value))
        if known is not None and known[0] is value:
            self._next[id(value)] = known
            for inner in _containers(value):  # what they were cut into is known for the next time, too
                if id(inner) in self._known:
                    self._next[id(inner)] = self._known[id(inner)]
            return known[1]
        if not is_container:
            document = value.document()
            refuse_secrets(document, at)
            fragments: tuple[bytes, ...] = (values.dump(document),)
        elif len(value) < _LARGE:
            written = [one.document() if isinstance(one, Record) else one for one in value] if kind is Row else value
            refuse_secrets(written, at)
            fragments = (values.dump(written),)
        elif kind is Row:
            fragments = tuple(self._list(value, at))
        else:
            fragments = tuple(self._object(value, at))
        self._next[id(value)] = (value, fragments)
        return fragments

    def _list(self, value: Row, at: str) -> Iterator[bytes]:
        mark = b"["
        for index, inner in enumerate(value):
            yield mark
            yield from self._fragments(inner, f"{at}[{index}]")
            mark = b","
        yield b"]"

    def _object(self, value: Frozen, at: str) -> Iterator[bytes]:
        mark = b"{"
        for name in sorted(value):
            inner = value[name]
            if isinstance(inner, str):
                refuse_secrets({name: inner}, at)
            yield mark + values.dump(name) + b":"
            yield from self._fragments(inner, f"{at}.{name}")
            mark = b","
        yield b"}"


def _containers(value: Any) -> Iterator[Any]:
    if type(value) in (Row, Frozen) and len(value) >= _LARGE:
        yield from value.values() if type(value) is Frozen else value


def _together(fragments: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces that fragments make: cut where the content says."""
    held: list[bytes] = []
    size = 0
    for fragment in fragments:
        held.append(fragment)
        size += len(fragment)
        if size >= _LEAST and len(fragment) > 1 and (size >= _MOST or zlib.crc32(fragment) & 7 == 0):
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def joined(pieces: Pieces, texts: Mapping[str, bytes], timestamp: Any, at: str) -> State:
    """The state that was cut into these pieces.

    Args:
        pieces: how it lies in them.
        texts: name → text of each.
        timestamp: the state's.
        at: what to call it in errors.

    Raises:
        Refused: a piece is missing or is not what its name says, or together they are no state.
    """
    if root_of(pieces.layout, pieces.hashes) != pieces.root:
        raise Refused(f"{at} is damaged: its list of pieces is not the one that was kept.")
    for name in dict.fromkeys(pieces.hashes):
        text = texts.get(name)
        if text is None:
            raise Refused(f"{at} is damaged: of its {len(pieces.hashes)} pieces {name} is missing.")
        if name_of(text) != name:
            raise Refused(f"{at} is damaged: the piece {name} does not hold what was kept.")
    given: dict[str, Any] = {}
    plain: dict[str, Any] = {}
    place = 0
    try:
        for part in pieces.layout.split(","):
            name, _, count = part.partition(":")
            parts = pieces.hashes[place : place + int(count)]
            place += int(count)
            value = values.parse(b"".join(texts[one] for one in parts))
            if name == _HEAD:
                given |= value
            elif name.startswith(_PLAIN):
                plain[name.removeprefix(_PLAIN)] = value
            else:
                given[name] = read_section(name, value, f"{at}: {name}")
        return State(**given, timestamp=timestamp, plain=Plain(**plain))
    except (ValueError, TypeError, UsageError) as error:
        raise Refused(f"{at} is damaged: {clean(error, 200)}.") from error
