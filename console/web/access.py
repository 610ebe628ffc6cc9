"""Who may open the console in a browser: the token, what follows from it, and which names the server answers to."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from console.domain.errors import UsageError
from console.domain.text import clean
from console.regular import SharedFileError, read_owned

TOKEN_VARIABLE: Final = "AGENT_CONSOLE_TOKEN"  # noqa: S105 - the name of a variable
SHORTEST: Final = 20
"""Characters of a token; a shorter one is refused."""
LONGEST: Final = 1_024
VISIT_S: Final = 12 * 3600.0
"""After so long a browser has to show the token again."""
MOST_VISITS: Final = 256
"""Browsers that are remembered; the one that came first is forgotten first."""
TRIES: Final = 10
"""Wrong tokens that are answered within `TRIES_S`; every further one has to wait."""
TRIES_S: Final = 60.0

_MAKE_ONE = "`openssl rand -hex 32` makes one."


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there. A name other than `localhost` is not looked up,
    and counts as seen by others."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_token(environ: Mapping[str, str], file: Path | None) -> str:
    """The token that visitors have to show; empty where none is set.

    Args:
        environ: `AGENT_CONSOLE_TOKEN` in it.
        file: holds it; goes before the environment.

    Raises:
        UsageError: the file can't be read or others can read it, or the token is too short or not printable.
    """
    where, text = TOKEN_VARIABLE, environ.get(TOKEN_VARIABLE, "")
    if file is not None:
        where = clean(str(file), 120)
        try:
            text = read_owned(file, LONGEST + 2).decode("ascii", "replace")
        except SharedFileError as error:
            hint = f"chmod 600 {where} mends it."
            raise UsageError(f"{where} can be read by others than its owner.", hint) from error
        except OSError as error:
            raise UsageError(f"The token's file {where} can't be read: {error.strerror}.") from error
    elif TOKEN_VARIABLE not in environ:
        return ""
    text = text.strip()
    if not SHORTEST <= len(text) <= LONGEST or not text.isascii() or not text.isprintable():
        raise UsageError(
            f"The token in {where} is not a line of {SHORTEST} to {LONGEST} printable ASCII characters.", _MAKE_ONE
        )
    return text


def need_token(host: str, token: str, *, writes: bool, public: bool) -> None:
    """Refuse to serve without a token what only a token may open.

    Args:
        host: where the server is to listen.
        token: empty for none.
        writes: whether commands go through.
        public: whether an address under which others come is named.

    Raises:
        UsageError: one is needed, and there is none.
    """
    if token or (is_loopback(host) and not writes and not public):
        return
    what = "that carries out commands" if writes else "that others than this machine reach"
    raise UsageError(
        f"A console {what} needs a token.",
        f"Put one into {TOKEN_VARIABLE}, or into a file of mode 600 that --token-file names. {_MAKE_ONE}",
    )


@dataclass
class Access:
    """Decides who may pass; nothing in it is ever shown.

    Args:
        token: empty where everybody who reaches the server may look.
        hosts: the names, with ports, that the server answers to.
        clock: seconds that only grow.
    """

    token: str
    hosts: frozenset[str]
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._visits: OrderedDict[bytes, float] = OrderedDict()
        self._wrong: list[float] = []

    def __repr__(self) -> str:
        return f"Access({len(self.hosts)} hosts, {'a token' if self.token else 'no token'})"

    def answers_to(self, host: str) -> bool:
        """Whether a request that names this host is meant for this server: a page elsewhere that has its own name
        resolved to this machine names its own."""
        return host.lower() in self.hosts

    def may(self, authorization: str, cookie: str) -> bool:
        """Whether whoever sends these may open a console.

        Args:
            authorization: the header's value; `Bearer TOKEN`.
            cookie: the value of ours, as `enter` gave it.
        """
        if not self.token:
            return True
        kind, _, shown = authorization.partition(" ")
        if kind.lower() == "bearer" and shown:
            return self.is_right(shown.strip())
        until = self._visits.get(_digest(cookie)) if cookie else None
        return until is not None and self.clock() < until

    def is_right(self, shown: str) -> bool:
        """Whether that is the token; a wrong one is counted."""
        if self.token and hmac.compare_digest(_digest(shown), _digest(self.token)):
            return True
        self._wrong.append(self.clock())
        del self._wrong[:-TRIES]
        return False

    @property
    def has_to_wait(self) -> bool:
        """Whether so many wrong tokens came that no other one is looked at for now."""
        return len(self._wrong) == TRIES and self.clock() - self._wrong[0] < TRIES_S

    def enter(self) -> str:
        """Remember one who has shown the token; what their browser is to send from now on."""
        value = secrets.token_urlsafe(32)
        self._visits[_digest(value)] = self.clock() + VISIT_S
        while len(self._visits) > MOST_VISITS:
            self._visits.popitem(last=False)
        return value

    def leave(self, cookie: str) -> None:
        """Forget one."""
        self._visits.pop(_digest(cookie), None)


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogateescape")).digest()
