"""Reading every flag a few times a second without reading more than can be shown.

The keyspace may be large, values may be megabytes, keys may hold lists: so names are found by one bounded SCAN step a
reading, and a value is fetched whole only while it is known to be short. Those that a script wrote are known at once,
from the agent's index of flags. Each known name is in one of three states:

- *short*: text that fitted when it was last read; all of them come with one MGET;
- *odd*: new, long, empty or not text; its type and the beginning of its text are asked for, one by one;
- *absent*: registered and not there; in the same MGET, and back to *odd* as soon as a SCAN step or a value shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from console.domain.seen.observation import Walk
from console.domain.state.flags import MAX_VALUE, FlagReading, FlagSpec, read_flag
from console.domain.text import clean
from console.store.reading.decode import exact_text, text

MAX_BYTES: Final = 4 * MAX_VALUE + 1
"""The most that is fetched of a value: all of any value that a flag may have, and the proof that one is longer."""
SHORT_BYTES: Final = 1024
"""Values below this come with the one MGET."""
SCAN_COUNT: Final = 1000
FIRST_SCAN_COUNT: Final = 10_000
"""Keys of a step of the first walk after its first step: a server takes one or two milliseconds over them."""
MAX_INDEXED: Final = 10_000
"""Names of the index that are read."""
MAX_NAME: Final = 1024
"""Bytes of a name that is taken from it."""
MAX_NAMES: Final = 250_000
"""Names kept apart in one SCAN cycle; what is beyond is counted and not named."""

INDEX_EVERY: Final = 50
"""Readings after which the index of flags is read again although as many stand there as before."""

Command = tuple[Any, ...]
_UNREAD: Final = ("", b"")
"""An odd flag of which nothing is known but its name."""


class FlagCache:
    """What is known of one agent's flags between two readings. It does no I/O: commands out, replies in.

    Args:
        prefix: what stands before a flag's name in its key.
        registry: registered flags are always read, whether or not they are there.
        limit: how many flags are shown at most, besides the registered ones.
        index: the key of the index of flags.
    """

    def __init__(self, prefix: str, registry: Mapping[str, FlagSpec], limit: int, index: str) -> None:
        self._prefix = prefix.encode()
        self._pattern = b"".join(b"\\" + bytes([c]) if c in b"*?[]\\^-" else bytes([c]) for c in self._prefix) + b"*"
        self._specs = {self._prefix + name.encode(): spec for name, spec in registry.items()}
        self._limit = limit
        self._short: dict[bytes, bytes] = {}
        self._odd: dict[bytes, tuple[str, bytes]] = dict.fromkeys(self._specs, _UNREAD)
        self._absent: set[bytes] = set()
        self._beyond = 0
        self._index = index
        self._indexed, self._index_age = 0, 0
        self._named: set[bytes] = set()
        self._cursor = 0
        self.walked = 0
        """Keys that the walk under way was asked to look at."""
        self.walk = Walk.BEGUN
        self._found: set[bytes] = set()
        self._overflow = 0
        self._asked_short: list[bytes] = []
        self._asked_odd: list[bytes] = []

    @property
    def scanning(self) -> bool:
        """Whether a walk through the keyspace is under way."""
        return self._cursor != 0

    def scan(self) -> Command:
        """The next step through the keyspace."""
        return ("SCAN", self._cursor, "MATCH", self._pattern, "COUNT", self._step)

    @property
    def _step(self) -> int:
        """Keys of one step: more of them while not every flag has been met yet in a large keyspace."""
        return FIRST_SCAN_COUNT if self.walk is not Walk.WHOLE and self.walked >= SCAN_COUNT else SCAN_COUNT

    def take_scan(self, reply: tuple[Any, Sequence[bytes]] | Exception) -> None:
        """The reply to `scan`; at the end of a walk, names that were not met are forgotten."""
        if isinstance(reply, Exception):
            self.walk, self._cursor = Walk.REFUSED, 0
            return
        self.walked += self._step
        self._cursor = int(reply[0])
        for name in reply[1]:
            if len(self._found) < MAX_NAMES:
                self._found.add(name)
            else:
                self._overflow += 1
            if name in self._absent:
                self._absent.discard(name)
                self._odd[name] = _UNREAD
        if self._cursor == 0:
            self.walk, self.walked = Walk.WHOLE, 0
            self._settle()
        else:
            room = self._limit - self._shown()
            for name in reply[1][: max(0, room)]:
                self._learn(name)

    def index(self) -> list[Command]:
        """The commands that read the index of flags: how many there are, and which where that is not known."""
        count: Command = ("SCARD", self._index)
        return [count, ("SSCAN", self._index, 0, "COUNT", MAX_INDEXED)] if self._index_age == 0 else [count]

    def take_index(self, replies: Sequence[Any]) -> None:
        """The replies to `index`; one of another type tells of nothing."""
        count, *members = replies
        if not isinstance(count, int):
            self._indexed, self._index_age = 0, 1
            return
        self._index_age = 0 if count != self._indexed and not members else (self._index_age + 1) % INDEX_EVERY
        if members and not isinstance(members[0], Exception):
            self._indexed = count
            names = {self._prefix + name for name in members[0][1][:MAX_INDEXED] if len(name) <= MAX_NAME}
            self._absent -= names
            self._named = names
            fresh = sorted(names - self._specs.keys() - self._short.keys() - self._odd.keys())
            for name in (*fresh[: max(0, self._limit - self._shown())], *(names & self._specs.keys())):
                self._learn(name)

    def _shown(self) -> int:
        return sum(name not in self._specs for known in (self._short, self._odd) for name in known)

    def _learn(self, name: bytes) -> None:
        if name not in self._short and name not in self._odd and name not in self._absent:
            self._odd[name] = _UNREAD

    def _settle(self) -> None:
        others = sorted(self._found - self._specs.keys())
        keep = self._specs.keys() | set(others[: self._limit])
        for known in (self._short, self._odd):
            for name in [name for name in known if name not in keep]:
                del known[name]
        for name in keep:
            self._learn(name)
        self._beyond = max(0, len(others) - self._limit) + self._overflow
        self._found, self._overflow = set(), 0

    def values(self) -> list[Command]:
        """The commands that read every known flag."""
        self._asked_short = [*self._short, *self._absent]
        mget: list[Command] = [("MGET", *self._asked_short)] if self._asked_short else []
        return mget + self._ask(list(self._odd))

    def unread(self) -> list[Command]:
        """The commands for flags that came to light, vanished or changed type in this reading; mostly none."""
        return self._ask([name for name, known in self._odd.items() if known is _UNREAD])

    def _ask(self, names: list[bytes]) -> list[Command]:
        self._asked_odd = names
        return [command for name in names for command in (("TYPE", name), ("GETRANGE", name, 0, MAX_BYTES - 1))]

    def take_values(self, replies: Sequence[Any]) -> None:
        """The replies to `values`."""
        rest = list(replies)
        if self._asked_short:
            for name, value in zip(self._asked_short, rest.pop(0), strict=True):
                if value is not None:
                    self._absent.discard(name)
                    self._place(name, "string", value)
                elif name in self._short:
                    del self._short[name]
                    self._odd[name] = _UNREAD
        self.take_unread(rest)

    def take_unread(self, replies: Sequence[Any]) -> None:
        """The replies to `unread`."""
        for name, kind, value in zip(self._asked_odd, replies[::2], replies[1::2], strict=True):
            self._place(name, text(kind), value if isinstance(value, bytes) else b"")

    def _place(self, name: bytes, kind: str, value: bytes) -> None:
        self._odd.pop(name, None)
        self._short.pop(name, None)
        if kind == "none":
            if name in self._specs:
                self._absent.add(name)
        elif kind == "string" and 0 < len(value) < SHORT_BYTES:
            self._short[name] = value
        else:
            self._odd[name] = (kind, value[:MAX_BYTES])

    def readings(self) -> tuple[dict[str, FlagReading], int]:
        """Every known flag by name, sorted, and how many more there are."""
        flags: dict[str, FlagReading] = {}
        lost = 0
        known = {name: ("string", value) for name, value in self._short.items()} | self._odd
        met = self._found if self.walk is Walk.WHOLE else self._found | self._named
        beyond = max(self._beyond, len(met - self._specs.keys()) + self._overflow - self._shown())
        for name in sorted(known.keys() | self._absent):
            plain = text(name[len(self._prefix) :])
            spec = self._specs.get(name)
            if name in self._absent:
                reading = read_flag(plain, None, spec)
            else:
                kind, value = known[name]
                reading = read_flag(plain, exact_text(value), spec, "" if kind == "string" else kind)
                if len(value) == MAX_BYTES:
                    too_long = clean(
                        f"longer than the {MAX_VALUE} characters a flag may have; only its beginning is read"
                    )
                    reading = reading._replace(problem=too_long)
            if reading.name in flags:
                lost += 1  # two names that look the same once they are safe to draw
            else:
                flags[reading.name] = reading
        return flags, beyond + lost
