"""Frames on their way into a file: a key frame now and then, and between them what differs, as one zlib stream."""

from __future__ import annotations

import zlib
from typing import Final

import msgspec

from console import __version__
from console.domain.seen.marks import alert_mark, audit_mark
from console.domain.seen.observation import Observation
from console.domain.seen.timeline import Mark
from console.recording.chunks import (
    DELTA,
    FORMAT,
    HEAD,
    INDEX,
    KEY,
    MARK,
    SIGNATURE,
    TAIL,
    chunk,
    micros,
    moment_of,
)
from console.recording.frame import Frame, FrameCodec
from console.recording.head import Head, Index, mark_payload

KEY_EVERY_S: Final = 120.0
"""A seek reads at most so much of a recording, where nothing is skipped."""
_LEVEL: Final = 6


class Frames:
    """Makes the bytes of one file. It writes nothing itself.

    Args:
        codec: of this release.
        known: what the file before told last: its events are not told again.
        key_every_s: between two key frames.
    """

    def __init__(self, codec: FrameCodec, known: Frame | None = None, *, key_every_s: float = KEY_EVERY_S) -> None:
        self._codec, self._key_every = codec, int(key_every_s * 1_000_000)
        self._last = known
        self._stream: zlib._Compress | None = None
        self._keys: list[tuple[int, int]] = []
        self._marks: list[Mark] = []
        self._at = 0
        self.frames = 0

    @property
    def last(self) -> Frame | None:
        """What was told last."""
        return self._last

    def begin(self, observation: Observation) -> bytes:
        """How a file begins."""
        names = {name: tuple(fields) for name, fields in self._codec.names.items()}
        head = Head(FORMAT, f"agent-console {__version__}", str(observation.agent), names)
        return SIGNATURE + chunk(HEAD, micros(observation.now), msgspec.msgpack.encode(head))

    def add(self, frame: Frame, place: int) -> bytes:
        """The chunks that tell of a frame; a clock that went back stands still.

        Args:
            frame: the next one.
            place: where in the file they go.
        """
        self._at = max(self._at, micros(frame.observation.now))
        news = b"".join(chunk(MARK, micros(mark.at), mark_payload(mark)) for mark in self._news(frame.observation))
        due = self._stream is None or self._at - self._keys[-1][0] >= self._key_every
        if due:
            self._keys.append((self._at, place + len(news)))
            self._stream = zlib.compressobj(_LEVEL)
        assert self._stream is not None
        if due or self._last is None:
            tag, plain = KEY, self._codec.whole(frame)
        else:
            tag, plain = DELTA, self._codec.change(self._last, frame)
        self._last = frame
        self.frames += 1
        packed = self._stream.compress(plain) + self._stream.flush(zlib.Z_SYNC_FLUSH)
        return news + chunk(tag, self._at, packed)

    def _news(self, observation: Observation) -> list[Mark]:
        """The events that were not there before, as of the frame that shows them first: the store's clock may differ
        from ours."""
        before, after = self._last.observation.store if self._last is not None else None, observation.store
        if after is None or before is None or before is after:
            return []
        entries, alerts = {one.stream_id for one in before.audit}, {one.id for one in before.alerts}
        marks = [audit_mark(one) for one in after.audit if one.stream_id not in entries]
        marks += [alert_mark(one) for one in after.alerts if one.id not in alerts]
        marks = [mark._replace(at=moment_of(self._at)) for mark in marks]
        self._marks += marks
        return marks

    def end(self, place: int) -> bytes:
        """How a file ends: the index, and where it is.

        Args:
            place: where it goes.
        """
        marks = [(micros(mark.at), mark.kind.value, str(mark.text)) for mark in self._marks]
        index = msgspec.msgpack.encode(Index(self._keys, marks, self._at))
        return chunk(INDEX, self._at, index) + chunk(TAIL, self._at, place.to_bytes(8, "little"))
