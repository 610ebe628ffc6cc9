"""A command: a declaration, a preview of what it would do, and the doing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from console.commands.context import Context
from console.commands.gateway.door import Order
from console.domain.errors import UsageError
from console.domain.operator.command import Answer, CommandInfo, Preview, Risk
from console.domain.operator.receipt import Receipt
from console.domain.text import clean


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a command: its arguments by name, and the reason given for it."""

    args: Mapping[str, str]
    reason: str = ""

    def require(self, name: str) -> str:
        """An argument that must be there.

        Raises:
            UsageError: it is not.
        """
        value = self.args.get(name, "")
        if not value:
            raise UsageError(f"{name.upper()} is missing.")
        return value

    def given(self, name: str) -> bool:
        """Whether a flag-like argument is set."""
        return self.args.get(name, "") in ("yes", "True", "1")

    def epoch(self) -> int | None:
        """The epoch that the caller's decision was based on; None where the caller brought none.

        Raises:
            UsageError: it is not a number.
        """
        text = self.args.get("expect_epoch", "")
        if not text:
            return None
        if not text.isdecimal():
            raise UsageError(f"The expected epoch {clean(text, 24)!r} is not a whole number.")
        return int(text)


class Query(ABC):
    """A verb that only reads; `info.reads` says so."""

    info: ClassVar[CommandInfo]
    alone: ClassVar[bool] = False
    """Whether it needs no store."""
    beside: ClassVar[bool] = False
    """Of one that needs none: whether it tells more where one answers."""

    @abstractmethod
    async def answer(self, ctx: Context, call: Call) -> Answer:
        """What it finds.

        Raises:
            ConsoleError: it can't be read.
        """

    @abstractmethod
    def shape(self) -> Any:
        """The type of its document: a record, or a list or mapping of records; `docs/json.md` explains it."""


class Command(ABC):
    """One verb. It reads and writes the store through the context's gateway, and in no other way."""

    info: ClassVar[CommandInfo]

    def order(self, call: Call, *, why: str = "", undoes: str = "") -> Order:
        """What is ordered, for receipt and audit.

        Args:
            call: the use of this command.
            why: a reason in place of the one given for it.
            undoes: the receipt that this takes back.
        """
        return Order(self.info.name, why or call.reason, undoes, self.info.reversible, self.info.risk is Risk.REDUCES)

    @abstractmethod
    async def preview(self, ctx: Context, call: Call) -> Preview:
        """What it would do now; changes nothing.

        Raises:
            ConsoleError: it can't be done.
        """

    @abstractmethod
    async def execute(self, ctx: Context, call: Call) -> Receipt:
        """Do it.

        Raises:
            ConsoleError: it was refused or failed; the text says whether anything was changed.
        """
