"""The state that crosses over from one version of an agent to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Self

from console.domain.errors import UsageError
from console.domain.state import values
from console.domain.state.records import Balance, Credential, Escrow, Position, RateLimit, Round
from console.domain.state.sections import SECTIONS
from console.domain.state.values import Frozen, Row

NOTHING: Final = Frozen()
PLAIN_FIELDS: Final = ("escrow_ids", "open_positions", "last_action_time", "rate_limit_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """What a plain agent's snapshot says in a form of its own, as JSON; None where a record says it.

    Args:
        escrow_ids, open_positions, last_action_time, rate_limit_tokens: the contract's fields.
    """

    escrow_ids: Any = None
    open_positions: Any = None
    last_action_time: Any = None
    rate_limit_tokens: Any = None

    def __post_init__(self) -> None:
        for name in PLAIN_FIELDS:
            object.__setattr__(self, name, values.freeze(getattr(self, name), name))


UNTOLD: Final = Plain()
SEVEN: Final = ("version", "timestamp", *PLAIN_FIELDS, "decision_log")
"""The fields of the contract for plain agents."""

_ALWAYS: Final = ("schema", "version", "extra", "plain")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that the next version needs so that nothing is lost, repeated or paid twice.

    It can't be changed: a new one is made with `dataclasses.replace(state, positions=...)`, and what is not named is
    taken over as it is, without a look at it. A section that is None was never told and is *missing*; an empty one says
    that there is nothing of the kind.

    Args:
        schema: version of the state's schema, which is the author's: raised with every change that an older or newer
            version would not understand; see `migration`.
        version: of the agent's logic that made it.
        timestamp: when it was so, in epoch seconds; None lets `keep` say when.
        session_id: the venue's session.
        balances: money, each verified by a call or not.
        rounds: bets and rounds that are open.
        escrows: escrows that are not over.
        positions: open positions with their entry prices.
        parameters: of the strategy, as JSON.
        signals: the newest signals, oldest first, as JSON.
        rate_limits: counters with their resets.
        last_actions: kind of action → when one last succeeded.
        idempotency: the newest idempotency keys, oldest first; the last `KEYS_KEPT` are kept.
        decision_log: the newest decisions, oldest first, as JSON; the last `DECISIONS_KEPT` are kept.
        credentials: which credentials are used: references and fingerprints, never secrets.
        extra: whatever else the author wants to hand over, as JSON.
        plain: what a plain agent says in a form of its own.

    Raises:
        UsageError: a value is not what its section holds; the text names it.
    """

    schema: int = 1
    version: str | int | Decimal = ""
    timestamp: Decimal | int | None = None
    session_id: str | None = None
    balances: Sequence[Balance] | None = None
    rounds: Sequence[Round] | None = None
    escrows: Sequence[Escrow] | None = None
    positions: Sequence[Position] | None = None
    parameters: Mapping[str, Any] | None = None
    signals: Sequence[Any] | None = None
    rate_limits: Sequence[RateLimit] | None = None
    last_actions: Mapping[str, datetime] | None = None
    idempotency: Sequence[str] | None = None
    decision_log: Sequence[Any] | None = None
    credentials: Sequence[Credential] | None = None
    extra: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    plain: Plain = UNTOLD

    def __post_init__(self) -> None:
        for name, check in SECTIONS.items():
            value = getattr(self, name)
            if value is not None and (checked := check(value, name)) is not value:
                object.__setattr__(self, name, checked)
        for name in _ALWAYS:
            if getattr(self, name) is None:
                raise UsageError(f"State.{name} can't be None.")
        if self.plain is not UNTOLD and any(
            (own := getattr(self.plain, name)) is not None and own == derived(self, name) for name in PLAIN_FIELDS
        ):
            same = {name: None for name in PLAIN_FIELDS if getattr(self.plain, name) == derived(self, name)}
            object.__setattr__(self, "plain", replace(self.plain, **same))

    @property
    def escrow_ids(self) -> Any:
        """Ids of the escrows that are not over; None where nobody told."""
        return _told(self, "escrow_ids")

    @property
    def open_positions(self) -> Any:
        """The open positions, as JSON; None where nobody told."""
        return _told(self, "open_positions")

    @property
    def last_action_time(self) -> Any:
        """When an action last succeeded, in epoch seconds; None where nobody told."""
        return _told(self, "last_action_time")

    @property
    def rate_limit_tokens(self) -> Any:
        """Name of a limit → calls that are left; None where nobody told."""
        return _told(self, "rate_limit_tokens")

    @classmethod
    def of_plain(cls, document: Mapping[str, Any]) -> Self:
        """The state in a plain agent's snapshot: the contract's seven fields; what else there is becomes `extra`.

        Raises:
            UsageError: a value can't be a state's.
        """
        rest = {name: value for name, value in document.items() if name not in SEVEN}
        version = document.get("version")
        return cls(
            version="" if version is None else version,
            timestamp=document.get("timestamp"),
            decision_log=document.get("decision_log"),
            plain=Plain(**{name: document.get(name) for name in PLAIN_FIELDS}),
            extra=rest,
        )

    def at(self) -> datetime | None:
        """When it was so, to the microsecond; None where it doesn't say.

        Raises:
            Refused: no calendar has that moment.
        """
        return None if self.timestamp is None else values.from_epoch(self.timestamp, "timestamp")

    def missing(self) -> tuple[str, ...]:
        """What it lacks of all that must cross over: the names of fields, of a record's with the record's id."""
        return tuple(_missing(self))


def derived(state: State, name: str) -> Any:
    """A field of the contract as the records say it; None where they say nothing."""
    if name == "escrow_ids":
        return None if state.escrows is None else Row(escrow.id for escrow in state.escrows)
    if name == "open_positions":
        return None if state.positions is None else Row(Frozen(one.document()) for one in state.positions)
    if name == "last_action_time":
        return values.epoch_seconds(max(state.last_actions.values())) if state.last_actions else None
    if state.rate_limits is None:
        return None
    return Frozen({limit.name: limit.remaining for limit in state.rate_limits})


def _told(state: State, name: str) -> Any:
    own = getattr(state.plain, name)
    return derived(state, name) if own is None else own


def _missing(state: State) -> Iterator[str]:
    for name in ("version", "timestamp", "session_id", "balances", "rounds"):
        if getattr(state, name) in (None, ""):
            yield name
    yield from (f"balances {one.currency}.verified" for one in state.balances or () if not one.verified)
    if state.escrows is None:
        if state.plain.escrow_ids is None:
            yield "escrow_ids"
        yield "escrows (expected completion, arbitrators, auto-release)"
    else:
        yield from (f"escrows {one.id}.expected_completion" for one in state.escrows if not one.expected_completion)
    if state.positions is None:
        if state.plain.open_positions is None:
            yield "open_positions"
        yield "positions (entry prices)"
    for name in ("parameters", "signals"):
        if getattr(state, name) is None:
            yield name
    for section, name, what in (
        ("last_actions", "last_action_time", "last_actions (per kind)"),
        ("rate_limits", "rate_limit_tokens", "rate_limits (resets)"),
    ):
        if getattr(state, section) is None:
            if getattr(state.plain, name) is None:
                yield name
            yield what
    yield from (name for name in ("decision_log", "idempotency") if getattr(state, name) is None)


FIELDS: Final = tuple(one.name for one in fields(State) if one.name != "plain")
