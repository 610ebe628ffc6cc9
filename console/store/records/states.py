"""States that agents hand over, in the store: keeping, listing, taking and dropping them.

Keys, all in the agent's hash slot: `…:states` (hash: the list), `…:state-pieces` (hash: name → compressed text),
`…:state-uses` (hash: name → number of the newest state it is in). Only the script `state` writes them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Final, NamedTuple

from redis.exceptions import ResponseError

from console.domain.errors import Refused
from console.domain.state.kept import Acted, KeptState, read_action, read_record
from console.domain.state.pieces import HASH, Cut
from console.domain.text import clean
from console.store.fence.calls import Call, base_keys, checked_words
from console.store.fence.replies import text, texts
from console.store.keys import Keys, StateKeys
from console.store.server.trouble import wrap_errors

KEPT: Final = 20
"""States that are kept, by default."""
MAX_STORED: Final = 64 * 1024 * 1024
"""Bytes of all pieces of one agent; more is refused."""
MAX_SINCE: Final = 10_000
"""Actions that are read back."""
_PAGE: Final = 500


class StateCode(StrEnum):
    """How a call ended. Only KEPT, AGAIN, TAKEN and PRUNED changed anything."""

    KEPT = "KEPT"
    AGAIN = "AGAIN"
    """The same content from the same tenure: it counts as new as now."""
    MISSING = "MISSING"
    """Pieces are wanted that were not sent."""
    UNTAKEN = "UNTAKEN"
    """The newest state is of the other side, and nobody has taken it over yet."""
    NOT_ACTIVE = "NOT_ACTIVE"
    STALE = "STALE"
    """Of a tenure that is over."""
    FULL = "FULL"
    """It would take more than all states together may."""
    NOINIT = "NOINIT"
    BADARG = "BADARG"
    TAKEN = "TAKEN"
    BEFORE = "BEFORE"
    """Another instance took it over before."""
    NONE = "NONE"
    PRUNED = "PRUNED"
    NOT_HALTED = "NOT_HALTED"
    """Only while halted may a state be put back."""


class StateReply(NamedTuple):
    """The answer of the script.

    Args:
        code: see `StateCode`.
        number: of the newest state, or of the one that was taken.
        server_ms: the server's clock.
        detail: names of the missing pieces, whose state is to be taken first, who is active, the running epoch, or the
            bytes.
        record, taken: of the state that was taken.
    """

    code: StateCode
    number: int
    server_ms: int
    detail: str = ""
    record: str = ""
    taken: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the pieces that are wanted."""
        return tuple(self.detail[place : place + HASH] for place in range(0, len(self.detail), HASH))

    def state(self) -> KeptState:
        """The state that was taken.

        Raises:
            Refused: its record is damaged.
        """
        return read_record(self.number, self.record, self.detail, self.taken)


def _reply(reply: Any) -> StateReply:
    code, number, ms, detail, record, taken = texts(reply)
    return StateReply(StateCode(code), int(number), int(ms), detail, record, taken)


class Keeping(NamedTuple):
    """A state on its way into the store.

    Args:
        cut: it, in pieces.
        rest: of its record (`console.domain.state.kept.record_rest`).
        instance: who keeps it; slot, epoch: which side of it acts, and by which epoch.
        action: number of the newest action that it knows of.
        kept: states that stay.
        most: bytes of all pieces.
        back: an operator puts it back, while halted.
    """

    cut: Cut
    rest: str
    instance: str
    slot: str
    epoch: int
    action: int
    kept: int = KEPT
    most: int = MAX_STORED
    back: bool = False


def keep(keys: Keys, keeping: Keeping, pieces: Mapping[str, bytes]) -> Call[StateReply]:
    """The call that keeps a state.

    Args:
        keys: whose.
        keeping: the state.
        pieces: name → compressed text of the pieces that travel.
    """
    where = keeping.cut.pieces
    args: tuple[Any, ...] = (
        "put" if keeping.back else "keep",
        checked_words(keeping.instance, "A name"),
        keeping.slot,
        str(keeping.epoch),
        str(keeping.action),
        where.root,
        "".join(where.hashes),
        str(keeping.kept),
        str(keeping.most),
        keeping.rest,
        *(part for pair in pieces.items() for part in pair),
    )
    return _call(keys, args)


def take(keys: Keys, *, instance: str, slot: str, epoch: int, number: int) -> Call[StateReply]:
    """The call by which the active side takes a state over; who took it is recorded once."""
    return _call(keys, ("take", instance, slot, str(epoch), str(number)))


def prune(keys: Keys, numbers: Iterable[int], *, by: str) -> Call[StateReply]:
    """The call that drops states; the newest is never dropped."""
    return _call(keys, ("prune", checked_words(by, "A name"), "", "0", " ".join(str(number) for number in numbers)))


def _call(keys: Keys, args: tuple[Any, ...]) -> Call[StateReply]:
    return Call("state", (*base_keys(keys), *StateKeys.of(keys)), args, _reply)


@contextmanager
def readable() -> Iterator[None]:
    """Turn what the client library raises while states and actions are read into errors of ours.

    Raises:
        StoreUnreachable: no answer.
        Refused: a key is not of its type.
    """
    try:
        with wrap_errors():
            yield
    except ResponseError as error:
        raise Refused(
            f"What agents kept can't be read: {clean(error, 120)}.",
            "Look at the agent's ac:… keys; nothing else uses them.",
        ) from error


def packed(cut: Cut, names: Iterable[str]) -> dict[str, bytes]:
    """Pieces as they travel, compressed."""
    return {name: zlib.compress(cut.texts[name]) for name in names}


def unpacked(names: Sequence[str], raw: Sequence[bytes | None], most: int) -> dict[str, bytes]:
    """Pieces as they were cut; one that is missing is left out.

    Args:
        names: of the pieces.
        raw: what the store holds of them, in the same order.
        most: bytes that they may have together.

    Raises:
        Refused: one can't be decompressed, or they are more than that.
    """
    pieces: dict[str, bytes] = {}
    left = most
    for name, data in zip(names, raw, strict=True):
        if data is None:
            continue
        packer = zlib.decompressobj()
        try:
            pieces[name] = packer.decompress(data, left + 1)
        except zlib.error as error:
            raise Refused(f"The piece {name} of a kept state is damaged: {clean(error, 80)}.") from error
        left -= len(pieces[name])
        if left < 0:
            raise Refused(f"A kept state has more than {most} bytes, which is the limit; it is not read.")
    return pieces


def read_list(raw: Mapping[Any, Any]) -> tuple[tuple[KeptState, ...], tuple[str, ...]]:
    """The kept states of the list, newest first; and what of it can't be read.

    Args:
        raw: the hash `…:states`.
    """
    fields = {text(name): text(value) for name, value in raw.items()}
    states: list[KeptState] = []
    problems: list[str] = []
    for name in fields:
        kind, _, number = name.partition(":")
        if kind == "s" and number.isdecimal():
            try:
                states.append(one_of(fields, int(number)))
            except Refused as error:
                problems.append(error.message)
    return tuple(sorted(states, key=lambda state: -state.number)), tuple(problems)


def one_of(fields: Mapping[str, str], number: int) -> KeptState:
    """One state of the list.

    Raises:
        Refused: its record is damaged.
    """
    return read_record(number, fields[f"s:{number}"], fields.get(f"h:{number}", ""), fields.get(f"t:{number}", ""))


def actions_of(entries: Iterable[tuple[Any, Mapping[Any, Any]]]) -> list[Acted]:
    """Actions from entries of the stream.

    Raises:
        Refused: one is damaged.
    """
    return [read_action(text(fields.get(b"d", fields.get("d", "")))) for _, fields in entries]
