"""What an agent has at stake, as records: balances, rounds, escrows, positions, rate limits, credentials."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Self

from console.domain.errors import Refused, UsageError
from console.domain.secrets import without_secrets
from console.domain.state import values
from console.domain.text import clean

MAX_TEXT: Final = 1_000
"""Most characters of a record's text."""


class Role(StrEnum):
    """What the agent is in an escrow."""

    CREATOR = "creator"
    COUNTERPARTY = "counterparty"
    ARBITRATOR = "arbitrator"


class Side(StrEnum):
    """Which way a position goes."""

    LONG = "long"
    SHORT = "short"


class Record:
    """A record of a state: its values are checked when it is made.

    Raises:
        UsageError: a value is not of its field's type; the text names the field.
    """

    __slots__ = ()

    def __post_init__(self) -> None:
        for name, kind in _kinds(type(self)):
            value = getattr(self, name)
            checked = _CHECKS[kind](value, f"{type(self).__name__}.{name}")
            if checked is not value:
                object.__setattr__(self, name, checked)

    def document(self) -> dict[str, Any]:
        """It as JSON: field → value; a time is ISO 8601 text."""
        return {name: _written(getattr(self, name)) for name, _ in _kinds(type(self))}

    @classmethod
    def read(cls, document: Any, at: str) -> Self:
        """The record from its JSON.

        Raises:
            Refused: a field is missing, unknown, or not of its type; the text names it.
        """
        if not isinstance(document, Mapping):
            raise Refused(f"{at} is no object.")
        kinds = dict(_kinds(cls))
        if wrong := sorted({*document} ^ {*kinds}):
            what = "lacks" if wrong[0] in kinds else "has the unknown"
            raise Refused(f"{at} {what} {clean(wrong[0], 40)}.")
        try:
            return cls(**{name: _read(document[name], kind, f"{at}.{name}") for name, kind in kinds.items()})
        except UsageError as error:
            raise Refused(f"{at}: {error.message}") from error


@dataclass(frozen=True, slots=True)
class Balance(Record):
    """Money that the agent has somewhere.

    Args:
        amount: how much.
        currency: of what.
        as_of: when that was so.
        source: who says it: a venue's call, the agent's own books.
        verified: whether a call to the venue said so at `as_of`; a cache never does.
    """

    amount: Decimal
    currency: str
    as_of: datetime
    source: str
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Round(Record):
    """A bet or a round that is open.

    Args:
        id: the venue's.
        kind: which game or market.
        amount: the stake.
        currency: of the stake.
        opened_at: when it began.
        ends_at: when it ends at the latest; None where nobody knows.
        key: the idempotency key under which it was made.
    """

    id: str
    kind: str
    amount: Decimal
    currency: str
    opened_at: datetime
    ends_at: datetime | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Escrow(Record):
    """An escrow that is not over.

    Args:
        id: the venue's.
        role: what the agent is in it.
        status: the venue's word: funded, completed, disputed.
        amount: what is held.
        currency: of the amount.
        counterparty: the other side's id.
        arbitrators: ids of who may decide.
        expected_completion: when it should be done; None where nobody knows.
        auto_release_at: when the venue moves the money by itself; None for never.
    """

    id: str
    role: Role
    status: str
    amount: Decimal
    currency: str
    counterparty: str = ""
    arbitrators: tuple[str, ...] = ()
    expected_completion: datetime | None = None
    auto_release_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Position(Record):
    """A position that is open.

    Args:
        id: the venue's.
        symbol: of what.
        side: long or short.
        size: how much of it, above zero.
        entry_price: paid on average, in `currency`.
        currency: of the price.
        opened_at: when; None where nobody knows.
        stop_price: of its protective stop; None without one.
    """

    id: str
    symbol: str
    side: Side
    size: Decimal
    entry_price: Decimal
    currency: str
    opened_at: datetime | None = None
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RateLimit(Record):
    """A counter by which a venue limits calls.

    Args:
        name: of the endpoint or class of endpoints.
        remaining: calls that are left.
        limit: calls in a window; None where nobody knows.
        resets_at: when the window ends; None where nobody knows.
    """

    name: str
    remaining: Decimal
    limit: Decimal | None = None
    resets_at: datetime | None = None


_FINGERPRINT: Final = re.compile(r"sha256:[0-9a-f]{12,64}\Z")


@dataclass(frozen=True, slots=True)
class Credential(Record):
    """Which credential is used, never the credential: where it is kept, and what tells that it is the same one.

    Args:
        name: what it is for.
        reference: where the secret is kept: a path in a vault, the name of an environment variable.
        fingerprint: `sha256:` and digits; `of` makes it.
    """

    name: str
    reference: str
    fingerprint: str

    def __post_init__(self) -> None:
        super(Credential, self).__post_init__()
        if not _FINGERPRINT.match(self.fingerprint):
            raise UsageError(
                f"Credential {clean(self.name, 40)!r}: the fingerprint is sha256: and digits.",
                "Credential.of makes it.",
            )
        if without_secrets(self.reference) != self.reference:
            raise UsageError(
                f"Credential {clean(self.name, 40)!r}: the reference holds a secret; say where it is kept."
            )

    @classmethod
    def of(cls, name: str, reference: str, secret: str) -> Self:
        """The reference to a secret and its fingerprint; the secret itself is not kept."""
        digest = hashlib.sha256(f"agent-console credential\n{name}\n{secret}".encode()).hexdigest()
        return cls(name, reference, f"sha256:{digest[:16]}")


_kinds_of: Final[dict[type, tuple[tuple[str, str], ...]]] = {}


def _kinds(cls: Any) -> tuple[tuple[str, str], ...]:
    known = _kinds_of.get(cls)
    if known is None:
        known = _kinds_of[cls] = tuple((field.name, str(field.type)) for field in fields(cls))
    return known


def _text(value: Any, at: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise UsageError(f"{at} is a text of at most {MAX_TEXT} characters, not {value!r:.60}.")
    return values.checked_text(str.__str__(value), at)


def _amount(value: Any, at: str) -> Decimal:
    if type(value) is int:
        value = Decimal(value)
    if type(value) is not Decimal:
        raise UsageError(f"{at} is a Decimal, not {value!r:.40}.", "A float has lost its digits already.")
    values.number(value, at)
    return value


def _texts(value: Any, at: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise UsageError(f"{at} is a tuple of texts, not {value!r:.40}.")
    return tuple(_text(one, at) for one in value)


def _truth(value: Any, at: str) -> bool:
    if type(value) is not bool:
        raise UsageError(f"{at} is True or False, not {value!r:.40}.")
    return value


def _one_of(kind: type[StrEnum]) -> Callable[[Any, str], StrEnum]:
    def check(value: Any, at: str) -> StrEnum:
        if value not in [one.value for one in kind]:
            raise UsageError(f"{at} is {', '.join(one.value for one in kind)}; not {value!r:.40}.")
        return kind(value)

    return check


def _or_none(check: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    return lambda value, at: None if value is None else check(value, at)


_CHECKS: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    "str": _text,
    "Decimal": _amount,
    "Decimal | None": _or_none(_amount),
    "datetime": values.moment,
    "datetime | None": _or_none(values.moment),
    "tuple[str, ...]": _texts,
    "bool": _truth,
    "Role": _one_of(Role),
    "Side": _one_of(Side),
}
"""Type of a field → what checks its value."""


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return values.time_text(value)
    return str(value) if isinstance(value, StrEnum) else list(value) if isinstance(value, tuple) else value


def _read(value: Any, kind: str, at: str) -> Any:
    if kind.startswith("datetime") and value is not None:
        return values.read_time(value, at)
    return value
