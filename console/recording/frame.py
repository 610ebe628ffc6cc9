"""A frame of a recording: what was observed, and the boards of the screens 6 and 7 as they were read by then.

It is written as an observation with one field more. A release that knows nothing of boards reads the rest, and a
recording without them says that it has none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from console.domain.board.boards import Seen
from console.domain.seen.observation import Observation
from console.domain.text import Safe
from console.recording.codec import Names, Plans, decoded
from console.recording.errors import Damaged
from console.recording.shape import fields_of, record_name

UNREAD: Final = Seen(problem=Safe("what was recorded of it can't be read by this release."))
_BOARDS: Final = "boards"
_OBSERVATION: Final = record_name(Observation)


class Frame(NamedTuple):
    """What was to be seen.

    Args:
        observation: of store and logs.
        boards: what was read for the screens 6 and 7; None where nobody recorded it.
    """

    observation: Observation
    boards: Seen | None = None


class FrameCodec:
    """Writes and reads frames, whole or as what differs from the one before.

    Args:
        names: the names of the fields as the recording's header has them; None for this release's own.
    """

    def __init__(self, names: Names | None = None) -> None:
        own = (*(one.name for one in fields_of(Observation)), _BOARDS)
        order = own if names is None else tuple(names.get(_OBSERVATION, ()))
        self._place = len(order) - 1 if order[-1:] == (_BOARDS,) else -1  # behind the observation's own fields
        if names is not None and self._place >= 0:
            names = {**names, _OBSERVATION: order[:-1]}
        plans = Plans(names)
        self._observation, self._boards = plans.of(Observation), plans.of(Seen | None)
        self.names: Names = {**plans.names, _OBSERVATION: own}
        self._encoder = msgspec.msgpack.Encoder()

    def whole(self, frame: Frame) -> bytes:
        """All of it."""
        return self._encoder.encode(self._whole(frame))

    def change(self, before: Frame, after: Frame) -> bytes:
        """What differs from the one before; empty where nothing does."""
        delta = self._observation.diff(before.observation, after.observation)
        told = self._boards.diff(before.boards, after.boards)
        if isinstance(delta, list):
            delta = [self._whole(after)]
        elif told is not None:
            delta = {**(delta or {}), self._place: told}
        return b"" if delta is None else self._encoder.encode(delta)

    def _whole(self, frame: Frame) -> list[Any]:
        return [*self._observation.pack(frame.observation), self._boards.pack(frame.boards)]

    def read_whole(self, data: bytes) -> Frame:
        """What `whole` wrote.

        Raises:
            Damaged: the observation can't be; boards that can't be say so.
        """
        return self._unpacked(decoded(data))

    def read_change(self, before: Frame, data: bytes) -> Frame:
        """What `change` was told of.

        Raises:
            Damaged: as above.
        """
        if not data:
            return before
        delta = decoded(data)
        if isinstance(delta, list) and len(delta) == 1:
            return self._unpacked(delta[0])
        told = delta.pop(self._place, None) if isinstance(delta, dict) else None
        observation, boards = self._observation.patch(before.observation, delta), before.boards
        if told is not None and (boards is not UNREAD or isinstance(told, list)):
            boards = _readable(lambda: self._boards.patch(before.boards, told))
        return Frame(observation, boards)

    def _unpacked(self, packed: Any) -> Frame:
        if self._place < 0 or not isinstance(packed, list) or len(packed) != self._place + 1:
            return Frame(self._observation.unpack(packed))  # no boards, or refused
        *fields, boards = packed
        return Frame(self._observation.unpack(fields), _readable(lambda: self._boards.unpack(boards)))


def _readable(read: Callable[[], Seen | None]) -> Seen | None:
    """Boards, or the word that they can't be read: another release may have recorded other ones."""
    try:
        return read()
    except Damaged:
        return UNREAD
