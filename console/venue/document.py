"""The venue's document: where to ask what, with which key, and where in an answer things stand (`docs/venues.md`).

Nothing of a venue is in the code. What a preset says is a default that the document may say otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field, StrictBool, StrictInt, StrictStr, model_validator

from console.documents.model import Document, Number, model_of, plain_text, record_of
from console.domain.errors import UsageError
from console.domain.venue.terms import DeadmanTerms, EscrowTerms, KeyTerms, Tolerances
from console.venue.addresses import check_address
from console.venue.endpoints import Header, Health, Name, Path, Pointer, Probes, Words


def table_of(record: type) -> Any:
    """The model of a record, rules of the record's included."""

    def checked(model: Document) -> Document:
        try:
            record_of(record, model)
        except UsageError as error:
            raise ValueError(f"a table of which holds: {str(error).rstrip('.')}") from error
        return model

    return Annotated[model_of(record), AfterValidator(checked)]


if TYPE_CHECKING:
    TolerancesTable: TypeAlias = Document
    EscrowTable: TypeAlias = Document
    KeysTable: TypeAlias = Document
    DeadmanTable: TypeAlias = Document
else:
    TolerancesTable, EscrowTable, KeysTable, DeadmanTable = map(
        table_of, (Tolerances, EscrowTerms, KeyTerms, DeadmanTerms)
    )


class Service(Document):
    """One host of the venue; every request to it goes there and nowhere else."""

    url: Annotated[
        StrictStr, AfterValidator(check_address), Field(description="its address, https, without a path's end")
    ]


class Auth(Document):
    """How requests prove who sends them; the secret itself never stands in the document."""

    header: Annotated[Header, Field(description="the header that carries it")] = "Authorization"
    prefix: Annotated[
        StrictStr, Field(max_length=32, pattern=r"^[ -~]*$", description="what stands before it in the header")
    ] = "Bearer "
    key_env: Annotated[Name | None, Field(description="the variable that holds it")] = None
    key_file: Annotated[StrictStr | None, Field(description="the file that holds it, readable by its owner alone")] = (
        None
    )

    @model_validator(mode="after")
    def _one(self) -> Auth:
        if (self.key_env is None) is (self.key_file is None):
            raise ValueError("a table with key_env or key_file, one of them")
        return self


class Rate(Document):
    """How often requests of a class may go out; what would be too many is not sent, and counts as unknown."""

    requests: Annotated[StrictInt, Field(ge=1, le=1_000_000, description="so many")]
    per_s: Annotated[Number, Field(gt=0, le=86_400, description="in so many seconds")]


class Deadman(Document):
    """The venue's dead man's switch: how a sign of life is given, and what the switch does."""

    service: Annotated[Name, Field(description="the service that it is given to")]
    path: Annotated[Path, Field(description="where; {timeout_s} and {timeout_ms} stand for the time until it falls")]
    method: Annotated[Literal["POST", "PUT"], Field(description="how")] = "POST"
    body: Annotated[
        dict[Name, StrictStr | StrictInt | StrictBool],
        Field(
            default_factory=dict,
            description="the JSON that is sent; {timeout_s}, {timeout_ms} and {due_ms} (since 1970) stand for the time",
        ),
    ]
    rate: Annotated[Name, Field(description="the class of requests in [rates] that it counts for")] = "deadman"
    armed: Annotated[
        StrictBool, Field(description="whether a guard keeps it alive; only where all of its terms are known")
    ] = False
    terms: Annotated[DeadmanTable, Field(description="what it does")]

    @model_validator(mode="after")
    def _answered(self) -> Deadman:
        questions = record_of(DeadmanTerms, self.terms).open_questions
        if self.armed and questions:
            raise ValueError(f"a switch of which is known {', '.join(questions)}, before it is armed")
        return self


class Pace(Document):
    """How often the guard asks, and how much at once."""

    every_s: Annotated[Number, Field(ge=1, le=3600, description="between two looks of the guard")] = 15.0
    timeout_s: Annotated[Number, Field(gt=0, le=60, description="for one whole answer")] = 5.0
    look_s: Annotated[Number, Field(gt=0, le=300, description="for all answers of one look")] = 20.0
    at_once: Annotated[StrictInt, Field(ge=1, le=32, description="requests under way at a time")] = 4
    most_bytes: Annotated[
        StrictInt, Field(ge=256, le=16_777_216, description="of one answer; more is not read, and unknown")
    ] = 1_048_576
    most_escrows: Annotated[StrictInt, Field(ge=1, le=10_000, description="escrows asked for in one look")] = 200


class LocalBooks(Document):
    """Where in the agent's state file the local books stand."""

    balance: Annotated[Pointer, Field(description="the money at the venue")] = "/balance"
    positions: Annotated[Pointer, Field(description="open positions: a list of ids, or of objects with an id")] = (
        "/open_positions"
    )
    orders: Annotated[Pointer, Field(description="pending orders, alike")] = "/open_orders"
    escrows: Annotated[Pointer, Field(description="escrows on the list, alike")] = "/escrow_ids"
    taken_at: Annotated[Pointer, Field(description="when it was written; else the file's time")] = "/timestamp"


class VenueDocument(Document):
    """A venue: its services, key, probes, terms."""

    preset: Annotated[
        Name | None, Field(description="the preset that this document goes by; its tables are the defaults")
    ] = None
    without: Annotated[Words, Field(description="what of the preset isn't there, like probes.orders or deadman")] = ()
    name: Annotated[Name, Field(description="for people")]
    currency: Annotated[Annotated[StrictStr, plain_text(16)], Field(description="of its amounts, where it doesn't say")]
    services: Annotated[dict[Name, Service], Field(min_length=1, description="its hosts, by name")]
    auth: Annotated[Auth | None, Field(description="how requests prove who sends them; none for an open venue")] = None
    headers: Annotated[
        dict[Header, Annotated[StrictStr, Field(max_length=200, pattern=r"^[ -~]*$")]],
        Field(
            default_factory=dict, description="further headers, without secrets; {agent} stands for the agent's name"
        ),
    ]
    rates: Annotated[
        dict[Name, Rate], Field(default_factory=dict, description="how often each class of requests may go out")
    ]
    probes: Annotated[Probes, Field(description="what is asked")] = Probes()
    pace: Annotated[Pace, Field(description="how often, and how much at once")] = Pace()
    books: Annotated[LocalBooks, Field(description="where local books stand")] = LocalBooks()
    tolerances: Annotated[
        TolerancesTable, Field(default_factory=model_of(Tolerances), description="how far, and how old")
    ]
    escrow: Annotated[EscrowTable, Field(default_factory=model_of(EscrowTerms), description="what becomes of escrows")]
    keys: Annotated[
        KeysTable,
        Field(default_factory=KeysTable, description="what the venue does with idempotency keys"),
    ]
    deadman: Annotated[Deadman | None, Field(description="its dead man's switch, where it has one")] = None

    @model_validator(mode="after")
    def _known(self) -> VenueDocument:
        wrong = []
        for name, probe in _endpoints(self):
            services = probe.services if isinstance(probe, Health) else (probe.service,)
            wrong += [
                f"{name} asks {one!r}, which is none of its services" for one in services if one not in self.services
            ]
            if probe.rate not in self.rates and probe.rate not in ("default", "deadman"):
                wrong.append(f"{name} counts for {probe.rate!r}, which is none of its rates")
        if wrong:
            raise ValueError("a venue whose parts fit: " + "; ".join(wrong))
        return self


def _endpoints(document: VenueDocument) -> list[tuple[str, Any]]:
    """Everything that is asked or sent, by its name in the document."""
    named = [(f"probes.{name}", getattr(document.probes, name)) for name in type(document.probes).model_fields]
    return [(name, probe) for name, probe in [*named, ("deadman", document.deadman)] if probe is not None]


PRESETS: Final = ("purple-flea", "rest")
"""Presets that come with the program: files beside this one."""
