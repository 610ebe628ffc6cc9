"""What is asked of a venue, one model a probe: where, and where in the answer things stand."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StrictInt, StrictStr, model_validator

from console.documents.model import Document, Number, plain_text
from console.domain.venue.values import parts_of
from console.venue.addresses import check_path

Name = Annotated[StrictStr, plain_text(64)]
Word = Annotated[StrictStr, plain_text(80)]
Words = Annotated[tuple[Word, ...], Field(strict=False)]


def _pointer(value: str) -> str:
    parts_of(value)
    return value


def _header(value: str) -> str:
    if not value.isascii() or not all(char.isalnum() or char in "-_" for char in value):
        raise ValueError("a header's name")
    return value


Pointer = Annotated[StrictStr, AfterValidator(_pointer)]
Path = Annotated[StrictStr, AfterValidator(check_path)]
Header = Annotated[StrictStr, Field(min_length=1, max_length=64), AfterValidator(_header)]


class Endpoint(Document):
    """One thing to ask."""

    service: Annotated[Name, Field(description="the service that is asked")]
    path: Annotated[
        Path, Field(description="what is asked there; {id} and {agent} stand for an id and the agent's name")
    ]
    rate: Annotated[Name, Field(description="the class of requests in [rates] that it counts for")] = "default"
    timeout_s: Annotated[Number | None, Field(gt=0, le=60, description="for the whole answer; else the venue's")] = None
    source: Annotated[Pointer | None, Field(description="where the answer says what it comes from")] = None
    stale_sources: Annotated[Words, Field(description="words there that mean that the venue's own read failed")] = ()


class Health(Document):
    """Health of services, and of what they depend on."""

    services: Annotated[Words, Field(min_length=1, description="the services that are asked")]
    path: Annotated[Path, Field(description="what is asked there")] = "/health"
    status: Annotated[Pointer | None, Field(description="where it says how it is")] = "/status"
    well: Annotated[Words, Field(description="words there that mean well")] = ("ok", "healthy", "up")
    dependencies: Annotated[
        dict[Name, Pointer],
        Field(default_factory=dict, description="what it depends on: name, and where the answer says how that is"),
    ]
    there: Annotated[Words, Field(description="words there that mean that it is there; true does too")] = (
        "ok",
        "connected",
        "healthy",
        "up",
    )
    rate: Annotated[Name, Field(description="the class of requests in [rates] that it counts for")] = "default"
    timeout_s: Annotated[Number | None, Field(gt=0, le=60, description="for the whole answer; else the venue's")] = None


class KeyProbe(Endpoint):
    """Whether the key is taken: any answer with status 200 says so."""

    whose: Annotated[Pointer | None, Field(description="where it says whose key it is")] = None


class BalanceProbe(Endpoint):
    """The balance; never from a cache."""

    amount: Annotated[Pointer, Field(description="where the amount stands")]
    currency: Annotated[Pointer | None, Field(description="where its currency stands; else it is the venue's")] = None
    as_of: Annotated[Pointer | None, Field(description="where the moment stands that it is of")] = None


class Listed(Document):
    """A list that an answer may hold a part of."""

    more: Annotated[
        Pointer | None,
        Field(description="where it names the next page, or says that there is one: then the list is cut, and unknown"),
    ] = None


class PositionsProbe(Endpoint, Listed):
    """Open positions."""

    items: Annotated[Pointer, Field(description="where the list stands")]
    id: Annotated[Pointer, Field(description="in an item: its id; null is nobody's")]
    symbol: Annotated[Pointer, Field(description="in an item: of what")]
    size: Annotated[Pointer, Field(description="in an item: how much")]
    side: Annotated[Pointer | None, Field(description="in an item: long or short")] = None
    entry_price: Annotated[Pointer | None, Field(description="in an item: its price")] = None
    item_source: Annotated[Pointer | None, Field(description="in an item: what it comes from")] = None
    count: Annotated[Pointer | None, Field(description="where their number stands: fewer items are malformed")] = None
    excluded: Annotated[Words, Field(description="symbols whose positions without an id are not this agent's")] = ()


class OrdersProbe(Endpoint, Listed):
    """Pending orders."""

    items: Annotated[Pointer, Field(description="where the list stands")]
    id: Annotated[Pointer, Field(description="in an item: its id")]
    symbol: Annotated[Pointer, Field(description="in an item: of what")]
    size: Annotated[Pointer, Field(description="in an item: how much")]
    kind: Annotated[Pointer | None, Field(description="in an item: its kind")] = None
    protective: Annotated[Words, Field(description="kinds that limit a loss")] = ()


class MonitorProbe(Endpoint):
    """What carries out stop orders at the venue."""

    running: Annotated[Pointer, Field(description="where it says, true or false, whether it runs")]
    last_check: Annotated[Pointer | None, Field(description="where it says when it looked last")] = None
    pending: Annotated[Pointer | None, Field(description="where it says how many orders wait for it")] = None
    errors: Annotated[Pointer | None, Field(description="where it counts its errors")] = None


class LimitsProbe(Endpoint):
    """Rate-limit counters, from an answer or from its headers."""

    remaining: Annotated[Pointer | None, Field(description="where the rest stands")] = None
    limit: Annotated[Pointer | None, Field(description="where the whole stands")] = None
    resets_at: Annotated[Pointer | None, Field(description="where it says when it begins anew")] = None
    remaining_header: Annotated[Header | None, Field(description="the header with the rest")] = None
    limit_header: Annotated[Header | None, Field(description="the header with the whole")] = None
    resets_header: Annotated[
        Header | None, Field(description="the header with the time, or the seconds, until it begins anew")
    ] = None

    @model_validator(mode="after")
    def _some(self) -> LimitsProbe:
        if (self.remaining is None) is (self.remaining_header is None):
            raise ValueError("a table with remaining or remaining_header, one of them")
        return self


class EscrowProbe(Endpoint, Listed):
    """Escrows, one by one (`{id}` in the path), and as a list where the venue has one."""

    id: Annotated[Pointer, Field(description="where its id stands; another one than asked for is malformed")]
    status: Annotated[Pointer, Field(description="where its status stands")]
    amount: Annotated[Pointer, Field(description="where its amount stands")]
    creator: Annotated[Pointer | None, Field(description="where its creator stands")] = None
    counterparty: Annotated[Pointer | None, Field(description="where its counterparty stands")] = None
    release_at: Annotated[Pointer | None, Field(description="where it says when it ends by itself")] = None
    ended_at: Annotated[Words, Field(description="pointers to when it ended; the first that is there counts")] = ()
    open: Annotated[Words, Field(min_length=1, description="statuses that mean that the money is locked")]
    disputed: Annotated[Words, Field(description="statuses that mean locked without a deadline")] = ()
    paid_counterparty: Annotated[Words, Field(description="statuses that mean that the counterparty was paid")] = ()
    paid_creator: Annotated[Words, Field(description="statuses that mean that the creator has its money back")] = ()
    list_path: Annotated[
        Path | None, Field(description="what is asked for all of them; none where there is no list")
    ] = None
    items: Annotated[Pointer | None, Field(description="in that answer: where the list stands")] = None

    @model_validator(mode="after")
    def _whole(self) -> EscrowProbe:
        if "{id}" not in self.path:
            raise ValueError("a table whose path has {id} in it")
        if (self.list_path is None) is not (self.items is None):
            raise ValueError("a table with both list_path and items, or neither")
        for pointer in self.ended_at:
            parts_of(pointer)
        return self


class HistoryProbe(Endpoint):
    """What was done, by which the outcome of an action in doubt can be told."""

    items: Annotated[Pointer, Field(description="where the list stands")]
    id: Annotated[Pointer, Field(description="in an item: its id")]
    key: Annotated[Pointer | None, Field(description="in an item: our idempotency key, where the venue keeps it")] = (
        None
    )
    at: Annotated[Pointer | None, Field(description="in an item: when")] = None
    amount: Annotated[Pointer | None, Field(description="in an item: how much")] = None
    pnl: Annotated[Pointer | None, Field(description="in an item: what it brought")] = None
    status: Annotated[Pointer | None, Field(description="in an item: its status")] = None
    failed: Annotated[Words, Field(description="statuses of what the venue refused or took back")] = ()
    most: Annotated[StrictInt, Field(ge=1, le=100_000, description="items in an answer at the most")] = 50


class Probes(Document):
    """What is asked; each may be left out, and is then *not configured*."""

    health: Annotated[Health | None, Field(description="of services")] = None
    key: Annotated[KeyProbe | None, Field(description="whether the key is taken")] = None
    balance: Annotated[BalanceProbe | None, Field(description="the money there")] = None
    escrow: Annotated[EscrowProbe | None, Field(description="escrows")] = None
    positions: Annotated[PositionsProbe | None, Field(description="open positions")] = None
    orders: Annotated[OrdersProbe | None, Field(description="pending orders")] = None
    monitor: Annotated[MonitorProbe | None, Field(description="what carries out stop orders")] = None
    limits: Annotated[LimitsProbe | None, Field(description="rate-limit counters")] = None
    history: Annotated[HistoryProbe | None, Field(description="what was done")] = None
