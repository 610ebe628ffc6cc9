"""One run of a version over the recorded rounds, one at a time; every way to fail an answer has its class.

The next round is given only once this one was answered or has failed, so that no version sees what comes later.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from typing import Final

from console.commands.rehearse.process import MAX_LINE, Ended, Process, TooMuch
from console.domain.rehearsal.answer import Answer, Fault, Problem, read_answer
from console.domain.rehearsal.money import Paths
from console.domain.text import clean, redact
from console.logs.lines.careful import load

MOST: Final = 1 << 53
"""No round has a larger number."""
MOST_SILENT: Final = 3
"""After so many rounds in a row without an answer in time it is given no more."""
_SHORT_S: Final = 0.5
"""The same for one that has failed already: just how it ended is of interest."""


class Run:
    """One run.

    Args:
        number: from 1.
        process: connected.
        version: that is rehearsed; empty where any may answer.
        paths: where the log says that prices stand.
        timeout_s: the longest wait for the answer to one round.
        grace_s: how long it may take to end after its input did.
    """

    def __init__(
        self, number: int, process: Process, version: str, paths: Paths, timeout_s: float, grace_s: float
    ) -> None:
        self.faults: Counter[Fault] = Counter()
        self.first: Problem | None = None
        self.ended = False
        """Whether no round can be given to it any more."""
        self._number = number
        self._process = process
        self._version = version
        self._paths = paths
        self._timeout_s = timeout_s
        self._grace_s = grace_s
        self._failed: set[int] = set()
        self._asked = self._silent = 0

    async def ask(self, round_number: int, line: bytes) -> Answer | None:
        """Give it a round; its answer, or None where it failed, which is counted.

        Args:
            round_number: rising from 1.
            line: with its newline.
        """
        self._asked = round_number
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._process.write(line)
                while True:
                    read = self._understand(await self._process.line())
                    if read is not None:
                        break
        except TimeoutError:
            self._silent += 1
            # it does not even read, and what it is given would pile up; or it holds its answers back
            self.ended = self._process.piles_up or self._silent >= MOST_SILENT
            read = Fault.TIMED_OUT, f"no answer within {self._timeout_s:g} s; does it flush each line?"
        except Ended as error:
            self.ended = True
            read = Fault.TOO_MUCH if isinstance(error, TooMuch) else Fault.MISSING, str(error)
        except OSError:
            self.ended = True
            read = Fault.MISSING, "it reads its input no more"
        else:
            self._silent = 0
        if isinstance(read, Answer):
            return read
        self._failed.add(round_number)
        self.note(*read, round_number)
        return None

    async def finish(self) -> None:
        """Its input ends; what it still says answers nothing, and it has to end by itself."""
        try:
            async with asyncio.timeout(_SHORT_S if self.ended else self._grace_s):
                self._process.end_input()
                while not self.ended:
                    self._after(await self._process.line())
        except TooMuch as error:
            self.note(Fault.TOO_MUCH, str(error), 0)
        except Ended:
            pass  # as it should
        except TimeoutError:
            self.note(Fault.NOT_ENDED, f"it still ran {self._grace_s:g} s after its input had ended", 0)
            return
        status = await self._process.status(_SHORT_S if self.faults else self._grace_s)
        if status is None and not self.faults:
            self.note(Fault.NOT_ENDED, "it closed its output and went on", 0)
        elif status:
            self.note(Fault.EXIT, f"status {status}" if status > 0 else f"signal {-status}", 0)

    def note(self, fault: Fault, words: str, round_number: int) -> None:
        """Count a failure.

        Args:
            fault: its class.
            words: what was seen.
            round_number: which round it is about; 0 for none.
        """
        self.faults[fault] += 1
        if self.first is None:
            self.first = Problem(fault, round_number, self._number, str(redact(words, 200)))

    def _understand(self, line: bytes | None) -> Answer | tuple[Fault, str] | None:
        """An answer to the round that is asked for, or its failure; None for a line that is neither."""
        if line is None:
            return Fault.TOO_LONG, f"more than {MAX_LINE >> 10} KiB"
        if not line.strip():
            return None
        document = _document(line)
        number = _round_of(document)
        if document is None or number is None:
            return Fault.MALFORMED, f"no JSON object with a `round`: {clean(line, 80)}"
        if number != self._asked:
            self.note(self._stray(number), f"an answer to {number} where {self._asked} was asked", number)
            return None
        return read_answer(document, self._version, self._paths)

    def _after(self, line: bytes | None) -> None:
        """A line after the last round."""
        if line is not None and not line.strip():
            return
        number = _round_of(_document(line)) if line is not None else None
        if number is not None and 0 < number <= self._asked:
            self.note(self._stray(number), f"an answer to {number} after the end", number)
        else:
            self.note(Fault.EXTRA, f"after the end: {clean(line or b'', 80)}", 0)

    def _stray(self, number: int) -> Fault:
        """What an answer to another round than the one asked for is."""
        if number > self._asked:
            return Fault.OUT_OF_ORDER
        return Fault.LATE if number in self._failed else Fault.DUPLICATE


def _round_of(document: dict[str, object] | None) -> int | None:
    """The round that an answer names; None where it names none. Beside a NaN every number is a Decimal."""
    number = document.get("round") if document is not None else None
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        return None
    whole = Decimal(number)
    return int(whole) if whole.is_finite() and 0 <= whole < MOST and whole == whole.to_integral_value() else None


def _document(line: bytes) -> dict[str, object] | None:
    """A line's JSON object; None where it is none."""
    try:
        document = load(line)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
