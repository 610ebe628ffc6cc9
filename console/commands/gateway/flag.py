"""Setting flags, if they still hold what the decision saw."""

from __future__ import annotations

from console.commands.gateway.door import Door, Order
from console.domain.errors import Conflict, Refused
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean
from console.store.fence.calls import FlagWrite
from console.store.fence.replies import FlagCode


class FlagGate:
    """Changes flags.

    Args:
        door: what it goes through.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    async def set(self, change: Change, order: Order) -> Receipt:
        """Set a flag to `change.after` (None: remove it) if it still holds `change.before` (None: it is missing).

        Args:
            change: of the flag named `change.what`.
            order: what was ordered.

        Raises:
            Conflict: it holds something else.
            Refused: its key is not text.
            ReadOnly, StoreUnreachable: as named.
        """
        name, before, after = change
        begun = self._door.begin(order._replace(reversible=order.reversible and not order.undoes), f"flag:{name}")
        write = FlagWrite(name, expected=before, value=after, audit=begun.fields)
        reply = await begun.once(self._door.fence.set_flag(write))
        if reply.code is FlagCode.CONFLICT:
            holds = "unset" if reply.before is None else clean(reply.before, 40)
            raise Conflict(f"flag {name} is {holds} now; somebody changed it meanwhile.", "Look again, then decide.")
        if reply.code is FlagCode.WRONGTYPE:
            raise Refused(f"The key of flag {name} holds a {clean(reply.before, 24)}, not text.")
        return begun.receipt(Change(f"flag:{name}", before, after), server_ms=reply.server_ms)
