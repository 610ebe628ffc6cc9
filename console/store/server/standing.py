"""What Sentinels have answered, and what that comes to: whom to believe where they don't agree."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from console.domain.text import clean
from console.store.server.url import Node

FRESH_S: Final = 5.0
"""An older answer of a Sentinel counts for nothing."""
MOVES: Final = 8
"""As many failovers are remembered."""
TOLD: Final = 3
"""Of the problems of many Sentinels, as many are told."""


class Answer(NamedTuple):
    """What one Sentinel answered last.

    Args:
        at: when, on the monotonic clock.
        primary: where the primary is by its word; None where it named none.
        epoch: of the configuration that says so: a higher one was agreed upon later.
        problem: why it named none; empty where it did.
    """

    at: float
    primary: Node | None = None
    epoch: int = 0
    problem: str = ""

    @staticmethod
    def of(who: str, master: str, address: Any, masters: Any, at: float) -> Answer:
        """An answer from what a Sentinel replied.

        Args:
            who: the Sentinel, for the problem.
            master: the name that was asked for.
            address: its reply to `GET-MASTER-ADDR-BY-NAME`.
            masters: its reply to `MASTERS`: by name, each with its fields.
            at: when, on the monotonic clock.
        """
        if not address:
            names = ", ".join(sorted(str(clean(name, 40)) for name in masters)) or "none"
            return Answer(at, problem=f"{who} knows no store called {clean(master, 40)}; it knows: {names}.")
        host, port = (_text(part) for part in address)
        if not host or not (port.isascii() and port.isdecimal() and len(port) < 6) or not 0 < int(port) < 65_536:
            return Answer(at, problem=f"{who} named an address that is none: {clean(f'{host}:{port}', 80)}.")
        fields: Mapping[str, Any] = masters.get(master, {})
        epoch = str(fields.get("config-epoch", "0"))
        return Answer(at, Node(host, int(port)), int(epoch) if epoch.isascii() and epoch.isdecimal() else 0)


class Move(NamedTuple):
    """The primary was one server, and is another.

    Args:
        at: when that was seen, aware UTC.
        before, after: the servers.
    """

    at: datetime
    before: Node
    after: Node


class Standing(NamedTuple):
    """How things stand with the Sentinels of one store.

    Args:
        primary: where the primary is; the last that was named, even if no Sentinel answers now; None for never.
        epoch: of the configuration that says so.
        asked: how many Sentinels are asked.
        answering: how many of them name a primary now.
        problems: what is wrong with the others.
        moves: the newest times that the primary has moved since this process asks, oldest first.
    """

    primary: Node | None = None
    epoch: int = 0
    asked: int = 0
    answering: int = 0
    problems: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()

    def nobody(self, master: str, timeout_s: float) -> tuple[str, str]:
        """That nobody names a primary, in words: what is so, and what to do.

        Args:
            master: the name that was asked for.
            timeout_s: how long was waited.
        """
        why = " ".join(self.problems[:TOLD]) or f"No answer within {timeout_s:g} s."
        more = f" ({len(self.problems) - TOLD} more.)" if len(self.problems) > TOLD else ""
        count = "The one Sentinel" if self.asked == 1 else f"None of {self.asked} Sentinels"
        names = "does not name" if self.asked == 1 else "names"
        return (
            f"{count} {names} the primary of {clean(master, 40)}: {why}{more}",
            "The URL is redis+sentinel://HOST,HOST,HOST/MASTER/DB; the Sentinels' own user and password stand behind "
            "it: ?sentinel_username=…&sentinel_password=….",
        )


def settle(
    before: Standing, answers: Iterable[Answer], now: float, clock: datetime, refused: Node | None = None
) -> Standing:
    """How things stand after some answers. The configuration that was agreed upon last counts, whoever tells of it: a
    Sentinel that was cut off goes on naming the old primary. Of one configuration the server that most of them name is
    believed to be the primary; where as many name another, or one names a host and another its address, whoever is it
    already stays it, unless it says of itself that it is none. An earlier configuration than the one that was known is
    believed to a majority alone, which was told to begin anew.

    Args:
        before: how things stood.
        answers: what each Sentinel answered last.
        now: on the monotonic clock.
        clock: the time now, aware UTC.
        refused: the server that said of itself that it is no primary, when it was connected to last.
    """
    fresh = [answer for answer in answers if now - answer.at <= FRESH_S]
    named = [answer for answer in fresh if answer.primary is not None]
    standing = before._replace(
        answering=len(named), problems=tuple(answer.problem for answer in fresh if answer.primary is None)
    )
    if not named:
        return standing
    epoch = max(answer.epoch for answer in named)
    if epoch < before.epoch and 2 * len(named) <= before.asked:
        return standing  # those who agreed later are silent: what is left may not know it
    latest = [answer.primary for answer in named if answer.epoch == epoch]
    votes = Counter(latest)
    primary = max(latest, key=lambda node: (votes[node], node != refused, node == before.primary))
    if before.primary in votes and _may_be_one(primary, before.primary):
        primary = before.primary
    standing = standing._replace(primary=primary, epoch=epoch)
    if before.primary is None or primary is None or primary == before.primary:
        return standing
    return standing._replace(moves=(*before.moves, Move(clock, before.primary, primary))[-MOVES:])


def _may_be_one(one: Node | None, other: Node | None) -> bool:
    """Whether two may be the same server, once by the host's name and once by its address."""
    if one is None or other is None or one.port != other.port:
        return False
    return _is_address(one.host) != _is_address(other.host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
