"""`[logs.mapping]`: how records that others write say what a decision says, and the presets that say it for them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from console.domain.errors import UsageError
from console.domain.text import clean
from console.logs.mapping.path import Path

Where = str | tuple[str, ...]
"""A path; several, of which the first that leads anywhere counts; `=TEXT`, the same for every record; `=`, nothing, and
nothing is expected; or empty."""
TimeFormat = Literal["", "rfc3339", "s", "ms", "us", "ns"]

NEEDED: Final = ("version", "time", "type")
VALUES: Final = (
    *NEEDED,
    *("slot", "end_time", "latency", "outcome", "error", "pnl", "currency", "dry", "reasoning", "inputs", "output"),
    *("stake", "key", "epoch", "id"),
)
"""What a mapping may say of a decision."""


class Mapping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[logs.mapping]`: where in the records of others a decision's values stand (docs/mapping.md). A path, several of
    which the first that leads anywhere counts, or `=TEXT` for what is the same in every record."""

    format: Annotated[Literal["", "otel-genai"], Meta(description="A preset, for what is not said here.")] = ""
    each: Annotated[str, Meta(description="The way to the records in a line; empty: the line is one.")] = ""
    only: Annotated[str, Meta(description="What has to be there in a record that counts; others are passed over.")] = ""
    version: Annotated[Where, Meta(description="The agent's version.")] = ""
    slot: Annotated[Where, Meta(description="`blue` or `green`, where records say so themselves.")] = ""
    time: Annotated[Where, Meta(description="When it was decided.")] = ""
    time_format: Annotated[TimeFormat, Meta(description="rfc3339, or s, ms, us or ns since 1970.")] = ""
    end_time: Annotated[Where, Meta(description="When it was over, in the same format: makes the latency.")] = ""
    latency: Annotated[Where, Meta(description="How long the decision took.")] = ""
    latency_unit: Annotated[Literal["", "s", "ms", "us", "ns"], Meta(description="Of `latency`.")] = ""
    type: Annotated[Where, Meta(description="The decision's type.")] = ""
    outcome: Annotated[Where, Meta(description="What became of it, in a word.")] = ""
    error: Annotated[Where, Meta(description="What is there where an exception was raised.")] = ""
    pnl: Annotated[Where, Meta(description="Profit or loss: a number, or text that is one.")] = ""
    currency: Annotated[Where, Meta(description="The currency of that amount.")] = ""
    dry: Annotated[Where, Meta(description="True where no real money moved.")] = ""
    reasoning: Annotated[Where, Meta(description="Why.")] = ""
    inputs: Annotated[Where, Meta(description="What was decided upon.")] = ""
    output: Annotated[Where, Meta(description="What was decided.")] = ""
    stake: Annotated[Where, Meta(description="What was at risk.")] = ""
    key: Annotated[Where, Meta(description="The idempotency key.")] = ""
    epoch: Annotated[Where, Meta(description="The epoch.")] = ""
    id: Annotated[Where, Meta(description="The record's own id.")] = ""

    def whole(self) -> Mapping:
        """With what its preset says.

        Raises:
            UsageError: a path is none, or something that has to be said is not.
        """
        preset = PRESETS.get(self.format)
        if preset is None:
            whole = self
        else:
            said = {name: value for name in self.__struct_fields__ if (value := getattr(self, name))}
            whole = replace(preset, **said)
        whole.check()
        return whole

    def expected(self) -> dict[str, str]:
        """What has to be there in some record, if the mapping fits, with where it is looked for: what is needed, what
        chooses records, the PnL, and whatever somebody has said a path of; but not a preset's other paths, nor
        an error, of which there may be none."""
        whole = self.whole()
        names = [
            name
            for name in ("each", "only", *VALUES)
            if name != "error" and (getattr(self, name) or name in ("each", "only", "pnl", *NEEDED))
        ]
        return {name: told for name in names if (told := where_text(getattr(whole, name)))}

    def check(self) -> None:
        """Raise UsageError for what can't be understood."""
        for name in NEEDED:
            if not getattr(self, name):
                raise UsageError(f"[logs.mapping] says no `{name}`.", "A decision has a version, a time and a type.")
        if not self.time_format:
            raise UsageError("[logs.mapping] says no `time_format`.", "It is never guessed: rfc3339, s, ms, us or ns.")
        if self.latency and not self.latency_unit:
            raise UsageError("[logs.mapping] says no `latency_unit`.", "It is never guessed: s, ms, us or ns.")
        for name in ("each", "only", *VALUES):
            for text in paths_of(getattr(self, name)):
                self._check_path(name, text)

    def _check_path(self, name: str, text: str) -> None:
        if text.startswith("="):
            if text == "=" and name in NEEDED:
                raise UsageError(f"[logs.mapping] `{name}` can't be nothing.", "A decision has all of these.")
            if text == "=":
                return
            if name in ("each", "only", "time", "end_time"):
                raise UsageError(f"[logs.mapping] `{name}` can't be the same for every record.", "Give a path.")
            if name == "dry" and text not in ("=true", "=false"):
                raise UsageError(f"[logs.mapping] `dry` is {clean(text, 40)!r}.", "Give =true, =false or a path.")
            return
        try:
            Path(text, every=name == "each")
        except UsageError as error:
            raise UsageError(f"[logs.mapping] `{name}`: {error.message}", error.hint) from error


def paths_of(where: Where) -> tuple[str, ...]:
    """What is said, as a sequence."""
    return (where,) if isinstance(where, str) and where else tuple(where)


def where_text(where: Where) -> str:
    """The paths in words; empty where there is none, or what it says is the same for every record."""
    paths = paths_of(where)
    return "" if any(path.startswith("=") for path in paths) else " or ".join(paths)


_SPAN: Final = "attributes{%s}"
PRESETS: Final = {
    "otel-genai": Mapping(
        each="resourceSpans[*].scopeSpans[*].spans[*]",
        only=_SPAN % "gen_ai.operation.name",
        version=(_SPAN % "gen_ai.agent.version", "resource.attributes{service.version}"),
        slot=(_SPAN % "agent_console.slot", "resource.attributes{agent_console.slot}"),
        time="startTimeUnixNano",
        time_format="ns",
        end_time="endTimeUnixNano",
        type=_SPAN % "gen_ai.operation.name",
        outcome=(_SPAN % "agent_console.outcome", "status.message"),
        error=_SPAN % "error.type",
        pnl=_SPAN % "agent_console.pnl",
        currency=(_SPAN % "agent_console.currency", "resource.attributes{agent_console.currency}"),
        dry=(_SPAN % "agent_console.dry", "resource.attributes{agent_console.dry}"),
        reasoning=_SPAN % "agent_console.reasoning",
        inputs=_SPAN % "gen_ai.input.messages",
        output=_SPAN % "gen_ai.output.messages",
        stake=_SPAN % "agent_console.stake",
        key=_SPAN % "agent_console.key",
        epoch=_SPAN % "agent_console.epoch",
        id="spanId",
    )
}
"""Mappings by the name of what writes such records."""
