"""Where a command of a Cluster goes, and what may be asked again: rules alone, the same for both worlds.

All keys of one agent carry one hash tag and lie in one slot. So a command goes to the node that owns the slot of its
first key; what has no key (TIME, INFO, WAIT) goes where the command before it went. A key without a tag is refused
here: whoever asks for one has an agent's keys as they are on a server that stands alone, and would act on others than
the agent does.

While a slot's keys move one by one, a part of them is here and a part there, and a script would find a key gone in the
middle of its work. So each script names one key more, which there never is: the server then refuses it before it
begins (TRYAGAIN, or ASK where all have gone), and it is tried again until the slot has arrived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from redis.crc import key_slot
from redis.exceptions import AskError, ClusterDownError, MovedError, ResponseError, TryAgainError

PATIENCE_S: Final = 1.0
"""How long a command is tried again that was certainly not carried out: the slot moves, or its node changes."""
PAUSE_S: Final = 0.03
"""Between two tries."""
AWAY_S: Final = 2.0
"""How long what any node may answer is asked of others than one that did not."""
MOST_PRIMARIES: Final = 1024
"""More than a Cluster has."""

TERM: Final = "term"
"""The option of a command that is meant for the node that had the home's keys then: a client's `term`."""

_OF_NOBODY: Final = (b"ac:agents:",)
"""What keys begin with that belong to no agent, and lie wherever their own name puts them: they are asked alone."""
_NAMES: Final = (
    "ACL ASKING AUTH BGREWRITEAOF BGSAVE CLIENT CLUSTER COMMAND CONFIG DBSIZE DEBUG ECHO EXEC FLUSHALL "
    "FLUSHDB FUNCTION HELLO INFO KEYS LASTSAVE LATENCY MODULE MONITOR MULTI PING PUBLISH RANDOMKEY "
    "READONLY READWRITE REPLICAOF RESET ROLE SAVE SCAN SCRIPT SELECT SENTINEL SHUTDOWN SLOWLOG TIME "
    "UNWATCH WAIT WAITAOF"
)
_KEYLESS: Final = frozenset(_NAMES.split())
_NUMBERED: Final = frozenset(("FCALL", "FCALL_RO", "EVAL", "EVAL_RO", "EVALSHA", "EVALSHA_RO"))
_OF_ALL: Final = frozenset((("FUNCTION", "LOAD"), ("FUNCTION", "DELETE"), ("SCRIPT", "LOAD"), ("SCRIPT", "FLUSH")))
_SECOND: Final = frozenset(("MEMORY", "OBJECT", "XINFO", "XGROUP"))
"""Commands of two words whose key, if any, comes after them."""

Command = tuple[tuple[Any, ...], Mapping[str, Any]]
"""A command's arguments and its options, as the client library keeps them."""


class UntaggedError(ResponseError):
    """A key of a Cluster without a hash tag: nothing was sent."""


class Unit(NamedTuple):
    """What stays together in a pipeline: a command with a key, and those without one that follow it.

    Args:
        slot: of the key; None where no command has any.
        at: places in the pipeline.
    """

    slot: int | None
    at: tuple[int, ...]


def words_of(args: Sequence[Any]) -> list[Any]:
    """A command's words: a name of two (`FUNCTION LOAD`) is two of them."""
    first = _text(args[0])
    return [*first.split(" "), *args[1:]] if " " in first else list(args)


def key_of(args: Sequence[Any]) -> str | bytes | None:
    """The first key of a command; None where it has none."""
    words = words_of(args)
    name = _text(words[0]).upper()
    if name in _KEYLESS:
        return None
    if name in _NUMBERED:
        place: int | None = 3 if len(words) > 3 and int(words[2]) else None
    elif name in ("XREAD", "XREADGROUP"):
        place = next(n for n, word in enumerate(words) if _text(word).upper() == "STREAMS") + 1
    elif name in _SECOND:
        place = 2
    else:
        place = 1
    if place is None or len(words) <= place:
        return None
    key = words[place]
    return key if isinstance(key, bytes) else str(key)


def slot_of_key(key: str | bytes) -> int:
    """The slot of a key that carries an agent's name as its hash tag.

    Raises:
        UntaggedError: it carries none; or a plain key's name, as on a server that stands alone.
    """
    raw = key if isinstance(key, bytes) else key.encode("utf-8", "surrogateescape")
    if raw.startswith(_OF_NOBODY):
        return int(key_slot(raw))
    begin = raw.find(b"{")
    end = raw.find(b"}", begin + 1)
    if begin < 0 or end <= begin + 1 or b":" in raw[begin:end]:
        raise UntaggedError(f"{key!r} carries no hash tag of an agent's name: that is how keys are named on a server")
    return int(key_slot(raw))


def slot_of(args: Sequence[Any]) -> int | None:
    """The slot that a command goes to; None where it has no key.

    Raises:
        UntaggedError: its key carries no hash tag.
    """
    key = key_of(args)
    return None if key is None else slot_of_key(key)


def goes_everywhere(args: Sequence[Any]) -> bool:
    """Whether a command makes a script known, which every primary has to know: the next slot may lie on any."""
    return tuple(_text(word).upper() for word in words_of(args)[:2]) in _OF_ALL


def sent_as(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """A command as it is sent: a script names one key more, which never exists."""
    if not is_script(args) or not int(args[2]):
        return args
    count = int(args[2])
    key = args[3] if isinstance(args[3], bytes) else str(args[3]).encode("utf-8", "surrogateescape")
    tag = key[key.index(b"{") : key.index(b"}") + 1]
    return (*args[:2], count + 1, *args[3 : 3 + count], b"ac:" + tag + b":whole", *args[3 + count :])


def options_sent(options: Mapping[str, Any]) -> dict[str, Any]:
    """A command's options, as a single node's client takes them."""
    return {name: value for name, value in options.items() if name != TERM}


def is_script(args: Sequence[Any]) -> bool:
    """Whether a command runs a script: it is never asked of a node that has a part of its keys alone (ASK)."""
    return _text(args[0]).upper() in _NUMBERED


def units(commands: Sequence[Command]) -> list[Unit]:
    """The units of a pipeline, in order; what comes before the first key goes with it."""
    found: list[Unit] = []
    for place, (args, _options) in enumerate(commands):
        slot = slot_of(args)
        if not found:
            found.append(Unit(slot, (place,)))
        elif slot is None or found[-1].slot is None:
            found[-1] = Unit(found[-1].slot if slot is None else slot, (*found[-1].at, place))
        else:
            found.append(Unit(slot, (place,)))
    return found


def transaction(commands: Sequence[Command]) -> list[Unit]:
    """A transaction as the one unit that it is.

    Raises:
        ResponseError: its keys lie in several slots: no node can carry it out.
    """
    slots = {slot for args, _options in commands if (slot := slot_of(args)) is not None}
    if len(slots) > 1:
        raise ResponseError("CROSSSLOT the keys of a transaction lie in several slots")
    return [Unit(next(iter(slots), None), tuple(range(len(commands))))]


def not_carried_out(reply: object) -> bool:
    """Whether a node's refusal says that another has to be asked, or the same again: nothing was done."""
    return isinstance(reply, AskError | TryAgainError | ClusterDownError)


def moved(left: Sequence[Unit], replies: Sequence[object]) -> bool:
    """Whether each of some units is known to lie elsewhere by now: there is nothing to wait for."""
    return all(any(isinstance(replies[place], MovedError) for place in unit.at) for unit in left)


def _text(word: Any) -> str:
    return word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)
