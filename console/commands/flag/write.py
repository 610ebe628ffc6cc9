"""The one way in which a flag is written: checked against the registry, compared and set, receipted."""

from __future__ import annotations

from console.commands.base import Call
from console.commands.context import Context
from console.commands.gateway.door import Order
from console.domain.errors import Conflict, Refused
from console.domain.operator.command import Preview
from console.domain.operator.receipt import Change, Receipt
from console.domain.state.flags import FlagReading, check_name, check_write, normalise
from console.domain.text import clean

ABSENT = "\x00absent"
"""How an argument says that a key did not exist; no flag's text can hold a control character."""


async def current(ctx: Context, name: str) -> FlagReading | None:
    """The flag as it is now; None when the store has no such key.

    Raises:
        Refused: the key holds something that is not text.
        StoreUnreachable: the store did not answer.
    """
    flag = await ctx.gateway.read_flag(name)
    if flag is not None and not flag.is_exact:
        what = f"a {flag.raw}, not text" if flag.type is None else "no plain text of bounded length"
        raise Refused(
            f"The key of flag {name} holds {what}.",
            "Whatever wrote it is not using the contract; remove the key by hand if it is a mistake.",
        )
    return flag


def expected_text(call: Call, now: FlagReading | None) -> str | None:
    """The text that the change is based on: what the caller saw, else what stands there now."""
    seen = call.args.get("expect", "")
    if seen:
        return None if seen == ABSENT else seen
    return None if now is None else now.text


def preview_write(name: str, now: FlagReading | None, text: str | None, call: Call, verb: str) -> Preview:
    """The preview of a write, with what it is based on in its arguments."""
    before = None if now is None else now.text
    warnings = [str(now.problem)] if now is not None and now.problem else []
    return Preview(
        title=f"{verb} flag {name}?",
        changes=(Change(f"flag:{name}", before, text),),
        warnings=tuple(warnings),
        arguments={**call.args, "expect": ABSENT if before is None else before},
    )


async def write(ctx: Context, call: Call, order: Order, name: str, text: str | None) -> Receipt:
    """Write (or, with `None`, remove) a flag if it still is what the caller saw.

    Raises:
        Conflict: somebody else changed it in between.
        Refused: the registry forbids the value.
    """
    now = await current(ctx, name)
    if text is not None:
        check_write(name, text, now, ctx.registry, new=call.given("new"))
    expected = expected_text(call, now)
    if (None if now is None else now.text) != expected:
        holds = "is unset" if now is None else f"is {clean(now.raw, 40)}"
        raise Conflict(f"flag {name} {holds} now; somebody changed it meanwhile.", "Look again, then decide.")
    return await ctx.gateway.flags.set(Change(name, expected, text), order)


def typed_value(ctx: Context, name: str, text: str) -> str:
    """The text to store for what a person typed.

    Raises:
        UsageError: name or text can't be a flag's.
    """
    return normalise(text, ctx.registry.get(check_name(name)))
