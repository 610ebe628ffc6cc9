"""From a key to a receipt: ask what has to be asked, carry it out, and say at every step what is happening."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from console.domain.errors import ConsoleError, Refused
from console.domain.fence.deployment import ActiveState, Phase
from console.domain.operator.command import CommandInfo, Confirm, Operator, Param, Preview, Risk
from console.domain.operator.progress import TELL
from console.domain.operator.receipt import Receipt
from console.views.fence.instances import early_now
from console.views.fence.progress import progress_text
from console.views.format import milliseconds_text
from console.views.lists import change_text

if TYPE_CHECKING:
    from console.domain.attached import Scoped
    from console.screens.frame.host import Host
    from console.screens.parts.dialogs import Dialog

T = TypeVar("T")

QUIET_S: Final = 0.3
"""A command that takes no longer says nothing of what it waited for."""
TOLD_EVERY_S: Final = 0.2
MOST_LINES: Final = 500


class Conduct:
    """Carries out one command after another for the operator at the keyboard.

    Args:
        host: where questions are asked and results are said.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._turn = 0
        self._replaced = 0
        """Whatever began before this turn and has not been confirmed is not asked any more."""
        self._running: dict[int, str] = {}
        self._preparing: set[int] = set()
        self._executing: set[str] = set()
        self._question = asyncio.Lock()
        self._answers: dict[tuple[str, str], dict[str, str]] = {}
        """What was answered to a command that was refused, by its name and what it is about: it is not typed twice."""
        self._withdraw_open: Callable[[], None] = lambda: None
        """Answers the question that is on screen with no."""

    @property
    def running(self) -> frozenset[str]:
        """The commands being carried out, or asked about, now."""
        return frozenset(self._running.values())

    @property
    def preparing(self) -> bool:
        """Whether a key was pressed whose question has not been answered; once it stands, it has the keys itself."""
        return bool(self._preparing)

    def withdraw(self) -> None:
        """No question that has been asked for and not been answered is asked any more."""
        self._turn += 1
        self._replaced = self._turn
        self._withdraw_open()

    async def ask(self, dialog: Dialog[T], turn: int = 0) -> T:
        """Ask one question after the other: a `y` that was meant for one must not reach another that came on top.

        Args:
            dialog: the question.
            turn: of the command that asks; 0 for none.
        """
        turn = turn or self._turn
        async with self._question:
            if turn < self._replaced:
                return dialog.nothing
            self._withdraw_open = lambda: dialog.answer(dialog.nothing)
            try:
                return await self._host.push_screen_wait(dialog)
            finally:
                self._withdraw_open = lambda: None

    def run(
        self,
        name: str,
        args: Mapping[str, str] | None = None,
        reason: str = "",
        *,
        typed: bool = False,
        scope: Sequence[str] | None = None,
    ) -> Coroutine[object, object, Receipt | None]:
        """Carry a command out, as far as the operator lets it go; its receipt, or None where nothing was done.

        From this call on, and not only once the rest is awaited, its question is on its way: whatever is typed before
        that stands answers it.

        Args:
            name: the command.
            args: its arguments, as far as they are known.
            reason: why, if that was said.
            typed: whether it was typed: then what a key does at once to the row under the cursor is asked for.
            scope: the agents that it is said to, by name in the question; None for the one that is attached.
        """
        info = self._host.info(name)
        if info is None:
            self._host.say(f"{name} is not available here.", "warn")
            return _nothing_done()
        several: Scoped | None = None
        if scope is not None:
            if not info.many or not scope:
                what = "is about one agent: enter goes into it" if scope else "is said to nobody: no agent is here"
                self._host.say(f"{info.title} {what}. Nothing was changed.", "warn")
                return _nothing_done()
            several = self._host.attachments.several(scope)
            several.told = lambda done: self._host.say(
                f"{info.title}: {done:,} of {len(scope):,} agents …", "info", fade_s=0
            )
        if name in self._executing or (name in self.running and not _replaces(info)):
            self._host.say(f"{info.title} is still being carried out …", "info", fade_s=0)
            return _nothing_done()
        if _replaces(info):
            self.withdraw()
        self._turn += 1
        turn = self._turn
        self._running[turn] = name
        if several is not None or self._asks(info, typed):
            self._preparing.add(turn)
        return self._carry_out(info, dict(args or {}), reason, turn, typed=typed, several=several)

    async def _carry_out(
        self, info: CommandInfo, args: dict[str, str], reason: str, turn: int, *, typed: bool, several: Scoped | None
    ) -> Receipt | None:
        try:
            return await self._run(info, args, reason, turn, typed=typed, several=several)
        except ConsoleError as error:
            tone = "warn" if isinstance(error, Refused) else "bad"
            self._host.say(
                f"{info.title}: {error.title.lower()}. {error.message} {error.hint}".rstrip(), tone, fade_s=30
            )
            return None
        finally:
            del self._running[turn]
            self._preparing.discard(turn)

    async def _run(
        self, info: CommandInfo, args: dict[str, str], reason: str, turn: int, *, typed: bool, several: Scoped | None
    ) -> Receipt | None:
        operator = several or self._host.operator
        if not await self._complete(info, args, turn, alone=several is None):
            self._nothing(info)
            return None
        if info.reads:
            await self._answer(info, args)
            return None
        if info.needs_reason and not reason:
            from console.screens.parts.dialogs import AskScreen

            reason = await self.ask(AskScreen(f"{info.title}: why?"), turn)
            if not reason:
                self._nothing(info)
                return None
        if several is not None or self._asks(info, typed):
            from console.screens.parts.dialogs import ConfirmScreen, confirm_data

            preview = await self._preview(operator, info, args)
            first = self._goes_first(info)
            if first is not None:
                self._host.say(
                    f"{info.title}: not asked, {first.title.lower()} is under way. Nothing was changed.", "warn"
                )
                return None
            danger = info.risk is Risk.RAISES
            ways = tuple(way for way in preview.ways if not self._host.reduces_risk(way.key))  # that key stays that
            preview = preview._replace(ways=ways)
            question = confirm_data(preview, info.title, danger=danger)
            if info.risk is Risk.REDUCES:
                question = replace(question, ask_reason=False)  # it waits for no words
            answer = await self.ask(ConfirmScreen(question), turn)
            self._preparing.discard(turn)
            way = next((way for way in ways if way.key == answer.way), None)
            if way is not None:
                self._host.start(way.command, dict(way.args), typed=True)
                return None
            if not answer.yes:
                self._nothing(info)
                return None
            args = dict(preview.arguments or args)
            reason = answer.reason or reason
            if preview.overrides:  # the name was typed in full, or the answer would not be yes
                args |= {"override": reason, "confirm": preview.typed_name}
        self._host.say(f"{info.title} …", "info", fade_s=0)
        telling = asyncio.create_task(self._tell(info) if several is None else _nothing_done(), name="progress")
        self._executing.add(info.name)
        try:
            receipt = await operator.execute(info.name, args, reason=reason)
        except Refused:
            self._answers[self._about(info, args)] = dict(args)
            raise
        else:
            self._answers.pop(self._about(info, args), None)
        finally:
            self._executing.discard(info.name)
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            if several is not None:
                self._tell_each(info, several)
        failed = several is not None and not all(well for _agent, _text, well in several.lines)
        self._host.say(receipt_text(receipt, info), "warn" if failed else "ok", fade_s=30 if several else 8)
        self._host.source.refresh()
        return receipt

    def _tell_each(self, info: CommandInfo, several: Scoped) -> None:
        """The receipts of several, where one is missing; those who have none first."""
        from console.screens.parts.dialogs import TextScreen

        self._host.fleet.ask(*several.agents)
        lines = several.lines
        if any(not well for _agent, _text, well in lines):
            shown: list[list[tuple[str, str]]] = [
                [(f" {'✔' if well else '✖'} ", "ok" if well else "bad"), (f"{agent}  ", "strong"), (text, "")]
                for agent, text, well in lines[:MOST_LINES]
            ]
            self._host.push_screen(TextScreen(f"{info.title}: what came of each", shown))

    async def _answer(self, info: CommandInfo, args: Mapping[str, str]) -> None:
        """Show what a command that only reads has found."""
        from console.screens.parts.dialogs import TextScreen

        progress: list[str] = []
        TELL.set(lambda text: progress.__setitem__(slice(None), [text]))
        telling = asyncio.create_task(self._tell_progress(info, progress), name="progress")
        try:
            answer = await self._host.operator.answer(info.name, args)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        lines: list[list[tuple[str, str]]] = [[(f" {line}", "")] for line in answer.lines]
        lines += [[(f" {note}", "dim")] for note in answer.notes]
        self._host.say("")
        self._host.push_screen(TextScreen(info.title, lines))

    async def _tell_progress(self, info: CommandInfo, progress: list[str]) -> None:
        """Say how far what takes long is, as far as it says so itself."""
        told = ""
        while True:
            await asyncio.sleep(TOLD_EVERY_S)
            if progress and self._host.status_text in ("", told):
                told = f"{info.title}: {progress[-1]} …"
                self._host.say(told, "info", fade_s=0)

    async def _tell(self, info: CommandInfo) -> None:
        """Say what a command waits for, as long as it does; what another said meanwhile (a halt!) is left standing."""
        before, started = self._host.observation, time.monotonic()
        own = f"{info.title} …"
        await asyncio.sleep(QUIET_S)
        while True:
            if self._host.status_text in ("", own):
                waits = progress_text(before, self._host.observation, info.waits, time.monotonic() - started)
                own = f"{info.title}: {waits}"
                self._host.say(own, "info", fade_s=0)
            await asyncio.sleep(TOLD_EVERY_S)

    def _goes_first(self, info: CommandInfo) -> CommandInfo | None:
        """What reduces risk and is under way: whoever pressed both in a hurry means that one with their `y`."""
        if info.risk is Risk.REDUCES:
            return None
        others = [other for name in self.running - {info.name} if (other := self._host.info(name)) is not None]
        return next((other for other in others if other.risk is Risk.REDUCES), None)

    def _asks(self, info: CommandInfo, typed: bool) -> bool:
        return (
            info.confirm is not Confirm.NONE
            or info.asks_on_screen
            or (info.asks_protected and (typed or self._host.settings.protected))
        )

    async def _preview(self, operator: Operator, info: CommandInfo, args: dict[str, str]) -> Preview:
        self._host.say(f"{info.title}: reading what is …", "info", fade_s=0)
        try:
            preview = await operator.preview(info.name, args)
        except Refused:
            raise
        except ConsoleError as error:
            if info.risk is not Risk.REDUCES:
                raise
            preview = Preview(
                title=f"{info.title}?", warnings=(f"{error.title}: {error.message}",), arguments=dict(args)
            )
        self._host.say("")
        return preview

    def _nothing(self, info: CommandInfo) -> None:
        self._host.say(f"{info.title}: nothing was changed.", "info")

    async def _complete(self, info: CommandInfo, args: dict[str, str], turn: int, *, alone: bool) -> bool:
        """Fill in what a key can't say; whether everything needed is there."""
        for param in info.params:
            if args.get(param.name) or not param.needed(args):
                continue
            if param.implied and alone and self._someone_is_active():
                continue  # the other one is meant
            chosen = await self._ask(info, param, args, turn)
            if not chosen:
                return False
            args[param.name] = chosen
        return True

    def _about(self, info: CommandInfo, args: Mapping[str, str]) -> tuple[str, str]:
        """A command, and what it is about: its first argument."""
        return info.name, args.get(info.params[0].name, "") if info.params else ""

    async def _ask(self, info: CommandInfo, param: Param, args: Mapping[str, str], turn: int) -> str:
        """One argument, chosen from a list or typed; empty where the operator thought better of it.

        What was answered before a refusal stands there already.
        """
        from console.screens.parts.dialogs import AskScreen, ChoiceScreen

        kept = self._answers.get(self._about(info, args), {}).get(param.name, param.preset)
        if not param.choices and not param.suggests:
            return await self.ask(AskScreen(f"{info.title}: {param.help}", kept), turn)
        choices = await self._choices(param)
        if not choices:
            raise Refused(f"There is no {param.suggests or param.name} to choose from.", param.nothing)
        title = param.question or f"{info.title}: which {param.suggests or param.name}?"
        about = args.get(param.waits_for, "")
        wait = (lambda: early_now(self._host.observation, about)) if about else None
        return await self.ask(ChoiceScreen(title, choices, chosen=kept, wait=wait), turn)

    async def _choices(self, param: Param) -> list[tuple[str, str]]:
        if not param.choices:
            return list(await self._host.operator.suggestions(param.suggests))
        before = self._active_before() if param.is_slot else ""
        words = {before: "was active before", **param.meanings}
        return [
            (choice, words.get(choice, "")) for choice in sorted(param.choices, key=lambda choice: choice != before)
        ]

    def _someone_is_active(self) -> bool:
        store = self._host.observation.store if self._host.observation else None
        return store is not None and store.deployment.active.state is ActiveState.SLOT

    def _active_before(self) -> str:
        store = self._host.observation.store if self._host.observation else None
        authority = store.deployment.authority if store else None
        return authority.previous.value if authority and authority.previous else ""

    def is_halted(self) -> bool:
        """Whether the last reading says that nobody acts until an operator resumes."""
        store = self._host.observation.store if self._host.observation else None
        authority = store.deployment.authority if store else None
        return authority is not None and authority.phase is Phase.HALT


async def _nothing_done() -> None:
    """What is left to wait for where a command was not begun."""


def _replaces(info: CommandInfo) -> bool:
    """Whether its key takes the place of whatever is being asked: it reduces risk."""
    return info.risk is Risk.REDUCES and bool(info.key)


def receipt_text(receipt: Receipt, info: CommandInfo | None = None) -> str:
    """A receipt on one line: what was done, what it changed, how long it took, who has acknowledged it."""
    done = info.title if info else receipt.command
    changed = ", ".join(change_text(change) for change in receipt.changes) or receipt.note
    parts = [f"{done}: {changed}" if changed else done, milliseconds_text(receipt.elapsed_ms)]
    if receipt.expected_acks:
        parts.append(f"{len(receipt.acknowledged)}/{len(receipt.expected_acks)} acknowledged")
    if receipt.note and receipt.changes:
        parts.append(receipt.note)
    if receipt.reversible:
        parts.append("u undoes")
    return " · ".join(parts)
