"""The terminal: writing that never holds up the keys, knowing how far it is behind, and noticing that it is gone.

Textual writes through a queue of thirty whose `put` blocks the event loop, so on a slow link a key waits for old
frames; and at the end of a vanished terminal's input it reads nothing as fast as it can. Here writing never blocks,
`behind` tells whether the last frame has been drawn at the far end (the terminal answers a question sent after it),
and a lost terminal is reported once.
"""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import threading
import time
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import IO, Any, Final

from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from console.screens.terminal.frames import Frames
from console.screens.terminal.sequences import KeyParser, Sequences

_QUESTION: Final = "\x1b[?2026$p"
"""Asks for the state of synchronised output; what Textual asks at start-up, and harmless to ask again."""

_PATIENCE_S: Final = 2.0
"""How long an answer may take before the terminal is taken for one that answers no longer."""

_MAX_SILENCES: Final = 3
_GAP_S: Final = 0.1
AHEAD: Final = 64
"""Keys that may be handed on before the app has taken any of them."""
_TAKEN_S: Final = 2.0
"""An app that takes nothing for so long is not waited for: it may be about to end."""
_READ: Final = 1024


class Writer(WriterThread):
    """Writes to the terminal in the background; `write` returns at once, whatever the terminal does.

    Args:
        file: where to.
        lost: called once, from this thread, when nobody is there any more.
    """

    def __init__(self, file: IO[str], lost: Callable[[], None]) -> None:
        super().__init__(file)
        self._descriptor = file.fileno()
        self._lost = lost
        self._pending: list[str] = []
        self._wake = threading.Condition()
        self._stopping = False
        self._busy = False
        self._gone = False

    @property
    def busy(self) -> bool:
        """Whether something waits to be taken by the terminal."""
        return self._busy or bool(self._pending)

    def write(self, text: str) -> None:
        """Have this written."""
        with self._wake:
            if not self._gone:
                self._pending.append(text)
                self._wake.notify()

    def flush(self) -> None:
        """Nothing to do: what is pending is written at once."""

    def run(self) -> None:
        """Write until stopped or alone."""
        while True:
            with self._wake:
                self._busy = False
                while not self._pending and not self._stopping:
                    self._wake.wait()
                if not self._pending:
                    return
                pieces, self._pending = _joined(self._pending), []
                self._busy = True
            try:
                for piece in pieces:
                    self._write(piece.encode("utf-8", "replace"))
            except OSError:
                with self._wake:
                    self._gone, self._busy = True, False
                    self._pending.clear()
                self._lost()
                return

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                written = os.write(self._descriptor, view[:4096])
            except BlockingIOError:
                select.select([], [self._descriptor], [], 1.0)
                continue
            view = view[written:]

    def stop(self) -> None:
        """Finish what is pending; a terminal that doesn't take it is not waited for."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self.join(timeout=1.0)


def _joined(texts: list[str]) -> list[str]:
    """Few large pieces to write, and each question in one of its own, lest it be torn apart on its way."""
    pieces: list[str] = []
    frame: list[str] = []
    for text in texts:
        if text == _QUESTION:
            pieces += ["".join(frame), text]
            frame = []
        else:
            frame.append(text)
    return [piece for piece in (*pieces, "".join(frame)) if piece]


class ConsoleDriver(LinuxDriver):
    """Textual's driver with our writing, our reading, and an answer to "how far behind is the terminal?"."""

    def __init__(
        self, app: Any, *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        self._writer: Writer | None = None
        self.frames = Frames()
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._answers = False
        self._asked_at = 0.0
        self._silences = 0
        self._lost_reported = threading.Event()
        self.answer_s = 0.0

    def start_application_mode(self) -> None:
        """Take the terminal, at the start and when the process is resumed: what it shows by then is not known."""
        self.frames.forget()
        super().start_application_mode()  # type: ignore[no-untyped-call]

    # writing

    @property
    def _writer_thread(self) -> Writer | None:
        """Our writer in the place of Textual's: it is made when Textual makes its own, which is never started."""
        return self._writer

    @_writer_thread.setter
    def _writer_thread(self, textuals_own: object) -> None:
        self._writer = None if textuals_own is None or self._file is None else Writer(self._file, self._lost)

    @property
    def behind(self) -> bool:
        """Whether the terminal has not yet drawn what it was sent; then a new frame would only make keys wait."""
        if self._writer is not None and self._writer.busy:
            return True
        if not self._asked_at:
            return False
        if time.monotonic() - self._asked_at > _PATIENCE_S:
            self._asked_at = 0.0
            self._silences += 1
            self._answers = self._silences < _MAX_SILENCES
        return bool(self._asked_at)

    def ask(self) -> None:
        """Ask the terminal to say when it has got as far as this."""
        if self._answers and not self._asked_at:
            self._asked_at = time.monotonic()
            self.write(_QUESTION)

    def process_message(self, message: Message) -> None:
        """Take the terminal's answers out of what goes to the app."""
        if isinstance(message, TerminalSupportsSynchronizedOutput):
            if self._asked_at:
                self.answer_s = time.monotonic() - self._asked_at
                self._asked_at, self._silences = 0.0, 0
                return
            self._answers = True
        super().process_message(message)

    # reading

    def run_input_thread(self) -> None:
        """Read keys until told to stop, or until there is nobody to read from."""
        parser = KeyParser(self._debug)
        sequences = Sequences()
        decode = getincrementaldecoder("utf-8")("replace").decode

        handed_on = 0

        def read(pieces: list[str]) -> None:
            nonlocal handed_on
            for piece in pieces:
                for message in parser.messages(piece):
                    self.process_message(message)
                    handed_on += 1
                    if handed_on % AHEAD == 0:
                        self._wait_for_the_app()

        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_GAP_S / 2):
                    try:
                        data = os.read(self.fileno, _READ)
                    except BlockingIOError:
                        continue
                    except OSError:
                        data = b""
                    if not data:
                        self._lost()
                        break
                    read(sequences.feed(decode(data), time.monotonic()))
                else:
                    read(sequences.tick(time.monotonic()))
            with contextlib.suppress(EOFError):
                for _message in parser.feed(""):
                    pass

    def _wait_for_the_app(self) -> None:
        """Hand on no more before the app has taken what it was handed, and so has the widget that it is for.

        Else the end of the process would come behind all that was ever typed. The rest waits in the terminal.
        """
        taken = threading.Event()
        app = self._app

        def ask_who_is_typed_into() -> None:
            (app.focused or app).call_later(taken.set)

        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(app.call_later, ask_who_is_typed_into)
            waited_s = 0.0
            while not (self.exit_event.is_set() or waited_s > _TAKEN_S or taken.wait(_GAP_S)):
                waited_s += _GAP_S

    def _lost(self) -> None:
        """Nobody is there any more: say so to the app, once."""
        if self._lost_reported.is_set() or self.exit_event.is_set():
            return
        self._lost_reported.set()
        hung_up = getattr(self._app, "hung_up", None)
        if hung_up is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the app is gone already
                self._loop.call_soon_threadsafe(hung_up)
