"""States that agents kept in the store, as an operator reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from console.domain.errors import UsageError
from console.domain.state.kept import KeptState, KeptStates
from console.domain.state.pieces import joined
from console.domain.state.state import State
from console.domain.text import clean
from console.store.keys import Keys, StateKeys
from console.store.records.states import MAX_STORED, read_list, readable, unpacked

if TYPE_CHECKING:
    from redis.asyncio import Redis

_PAGE: Final = 500


async def kept_states(client: Redis, keys: Keys) -> KeptStates:
    """Every kept state.

    Raises:
        StoreUnreachable: no answer.
    """
    with readable():
        raw: Any = await client.hgetall(StateKeys.of(keys).states)
        seconds, micros = await client.time()
    states, problems = read_list(raw)
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(seconds), milliseconds=int(micros) // 1000)
    return KeptStates(states, problems, now)


def chosen(states: tuple[KeptState, ...], name: str) -> KeptState:
    """The state that an operator named: `latest`, its number, or the beginning of its hash.

    Raises:
        UsageError: nothing is called so, or more than one thing is.
    """
    if name == "latest" and states:
        return states[0]
    matches = [one for one in states if str(one.number) == name]
    matches = matches or [one for one in states if len(name) >= 4 and one.hash.startswith(name)]
    if len(matches) == 1:
        return matches[0]
    what = "More than one kept state matches" if matches else "There is no kept state"
    raise UsageError(f"{what} {clean(name, 60)!r}.", "`agent-console snapshot list` shows all.")


async def read_kept(client: Redis, keys: Keys, kept: KeptState) -> State:
    """A kept state, whole and verified.

    Raises:
        Refused: it is damaged, or was dropped meanwhile.
        StoreUnreachable: no answer.
    """
    where, names = StateKeys.of(keys), kept.pieces.hashes
    raw: list[Any] = []
    with readable():
        for place in range(0, len(names), _PAGE):
            raw += await client.hmget(where.pieces, list(names[place : place + _PAGE]))
    return joined(kept.pieces, unpacked(names, raw, MAX_STORED), kept.timestamp, f"The kept state {kept.number}")
