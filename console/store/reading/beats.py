"""Every instance of an agent, read in turns: all of them at first, then who beat and who told something new.

Heartbeats come all the time and nearly always say the same. `beat` writes down who beat when, and whose other fields
changed when; what is read of the rest of the hash is that it is as long as it was. An instance whose heartbeat stands
in the hash and not there is of a release that does not write it down: then the whole hash is read at every turn.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Final

from console.domain.fence.deployment import Instance
from console.store.fence.listen import heartbeats
from console.store.keys import Keys
from console.store.reading import decode, sections
from console.store.reading.flag_cache import Command

MAX_INSTANCES: Final = 512
MAX_NOTED: Final = 1_024
"""Of those who beat, or told something new, that are read in one turn; where there are more, the whole hash is."""
WRITTEN_DOWN_MS: Final = 50_000
"""Who beat within that is written down by every release that writes it down at all."""


class Beats:
    """Reads them again and again.

    Args:
        keys: whose.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._raw: dict[bytes, bytes] = {}
        self._instances: dict[bytes, Instance] = {}
        self._at: dict[bytes, int] = {}
        """When those beat that did since their heartbeat was read."""
        self._told: dict[bytes, int] = {}
        self._length: object = None
        self._server: Hashable = None
        self._read_ms = self._before_ms = 0
        self._again_at = 0.0
        self._plain = True
        self._due: list[bytes] | None = []
        self.whole: Any = None
        """The reply to the last reading of the hash: a walk's, or that it was not read."""

    def news(self) -> list[Command]:
        """The commands that tell what is new; they come after TIME."""
        length: Command = ("HLEN", self._keys.instances)
        if self.whole is None or not self._raw:
            return [length]
        since = (self._read_ms, self._before_ms)  # by a turn more: the clock may have been set back by less than that
        lists = zip((self._keys.beats, self._keys.changed), since, strict=True)
        return [
            length,
            *(("ZRANGEBYSCORE", name, at, "+inf", "WITHSCORES", "LIMIT", 0, MAX_NOTED) for name, at in lists),
        ]

    def take_news(self, replies: Sequence[Any], server_ms: int, server: Hashable, *, fits: bool) -> list[Command]:
        """What is new; the commands for what has to be read of the hash.

        Args:
            replies: to `news`.
            server_ms: the server's clock, read before them.
            server: which one it is; another one than before has other heartbeats.
            fits: whether the hash may be read.
        """
        length, *lists = replies
        beat, told = map(_scores, lists or ([], []))
        back = server_ms < self._read_ms
        self._before_ms, self._read_ms = self._read_ms, server_ms
        whole = (
            self._plain
            or back
            or not fits
            or self.whole is None
            or not isinstance(length, int)
            or length != self._length
            or server != self._server
            or beat is None
            or told is None
            or sections.has_come(self._again_at)
        )
        self._length, self._server = length, server
        if (
            whole
            or beat is None
            or told is None
            or (len(self._raw) == length and not self._raw.keys() >= {*beat, *told})
        ):
            self._due = None
            return self._all(fits=fits) if length != 0 else []
        for name in beat.keys() & self._raw.keys():
            self._beat(name, beat[name])
        self._due = [name for name, at in told.items() if name in self._raw and self._told.get(name) != at]
        self._told |= told
        return [("HMGET", self._keys.instances, *self._due)] if self._due else []

    def _all(self, *, fits: bool) -> list[Command]:
        name = self._keys.instances
        return [
            ("HSCAN", name, 0, "COUNT", MAX_INSTANCES) if fits else ("TYPE", name),
            *(_since(one, "-inf") for one in (self._keys.beats, self._keys.changed)),
        ]

    def _beat(self, name: bytes, at_ms: int) -> None:
        self._at[name] = at_ms
        self._instances[name] = self._instances[name]._replace(heartbeat_at=decode.server_moment(at_ms))

    def take(self, replies: Sequence[Any]) -> None:
        """The replies to what `take_news` asked for."""
        if self._due is None:
            self._take_whole(replies)
        elif self._due:
            (values,) = replies
            if not isinstance(values, list) or any(value is None for value in values):
                self._plain = True  # gone between two commands: all of it, the next time
                return
            for name, value in zip(self._due, values, strict=True):
                self._raw[name] = value
                self._at.pop(name, None)
                self._instances[name] = decode.instance(name, value)

    def _take_whole(self, replies: Sequence[Any]) -> None:
        found, *lists = replies if replies else ((0, {}), [], [])
        beat, told = map(_scores, lists)
        self.whole = found
        self._at = {}
        self._raw = dict(list(found[1].items())[:MAX_INSTANCES]) if isinstance(found, tuple) else {}
        self._instances = {name: decode.instance(name, value) for name, value in self._raw.items()}
        self._told = told or {}
        unwritten = beat is None or any(self._not_noted(name, beat.get(name, 0)) for name in self._raw)
        self._plain = unwritten or told is None
        self._again_at = sections.again_at(self._raw)

    def _not_noted(self, name: bytes, noted_ms: int) -> bool:
        beat_ms = round(self._instances[name].heartbeat_at.timestamp() * 1000)
        return noted_ms < beat_ms and self._read_ms - beat_ms < WRITTEN_DOWN_MS

    @property
    def length(self) -> object:
        """How many there are; a refusal where the key is of another type."""
        return self._length

    def instances(self) -> tuple[Instance, ...]:
        """Every instance that was read, by slot and name."""
        return tuple(sorted(self._instances.values(), key=lambda one: (one.slot or "~", one.name)))

    def fields(self) -> Iterable[Mapping[str, object]]:
        """The fields of each heartbeat, `ms` as it is now."""
        for name, raw in self._raw.items():
            for beat in heartbeats({name: raw}).values():
                yield beat | {"ms": self._at[name]} if name in self._at else beat


def _since(name: str, at: object) -> Command:
    return ("ZRANGEBYSCORE", name, at, "+inf", "WITHSCORES", "LIMIT", 0, MAX_NOTED)


def _scores(reply: Any) -> dict[bytes, int] | None:
    """Name → score, in whole milliseconds; None where the key is of another type, or holds too many."""
    if not isinstance(reply, list):
        return None
    if len(reply) >= 2 * MAX_NOTED or (len(reply) == MAX_NOTED and isinstance(reply[0], list | tuple)):
        return None  # more than may be read here: not all of them
    flat = [one for pair in reply for one in pair] if reply and isinstance(reply[0], list | tuple) else reply
    try:
        return {name: int(float(score)) for name, score in zip(flat[::2], flat[1::2], strict=True)}
    except (ValueError, OverflowError):  # somebody wrote there what `beat` does not
        return None
