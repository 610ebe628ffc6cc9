"""Another program in this terminal: a pager or an editor that reads a file of ours, and the console again after it."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from textual.app import App, SuspendNotSupported

from console.domain.text import clean

PAGER: Final = ("PAGER",)
EDITOR: Final = ("VISUAL", "EDITOR")
_USUAL: Final = {PAGER: "less", EDITOR: "vi"}


def words_of(names: tuple[str, ...], environ: Mapping[str, str]) -> list[str]:
    """The program that the first of these variables names, with its arguments.

    Args:
        names: `PAGER` or `EDITOR`.
        environ: the process's environment.

    Raises:
        ValueError: a quotation mark in it has no partner.
    """
    named = next((environ[name] for name in names if environ.get(name, "").strip()), _USUAL[names])
    return shlex.split(named)


def read_outside(app: App[Any], names: tuple[str, ...], text: str, environ: Mapping[str, str] | None = None) -> str:
    """Let a program show a text, as a file of mode 0600 that is removed afterwards; what went wrong, or "".

    The console stands still meanwhile. However the program ends, the terminal is the console's again.

    Args:
        app: is suspended.
        names: `PAGER` or `EDITOR`.
        text: what is shown.
        environ: the environment; None for the process's own.
    """
    environ = os.environ if environ is None else environ
    if environ.get("TEXTUAL_DRIVER"):
        return "No program can be opened in a browser; y copies the record."
    try:
        words = words_of(names, environ)
    except ValueError as error:
        return f"${names[-1]} can't be read: {error}."
    if not words or shutil.which(words[0]) is None:
        return f"{clean(words[0] if words else '', 60)} is not there; ${names[-1]} names another program."
    try:
        with _file(text) as path, app.suspend():
            problem = _run([*words, path])
    except SuspendNotSupported:
        return "This terminal can't be lent to a program; y copies the record."
    except OSError as error:
        return f"The record can't be written to a file: {error.strerror or error}."
    return problem


@contextlib.contextmanager
def _file(text: str) -> Iterator[str]:
    descriptor, name = tempfile.mkstemp(prefix="agent-console-", suffix=".json")  # of mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        yield name
    finally:
        Path(name).unlink(missing_ok=True)


def _run(words: list[str]) -> str:
    """Nothing may be raised from here: Textual takes the terminal back only after an orderly end."""
    name = clean(Path(words[0]).name, 40)
    with _interrupts_are_the_programs():
        try:
            ended = subprocess.run(words, check=False)
        except OSError as error:
            return f"{name} can't be started: {error.strerror or error}."
    if ended.returncode:
        how = f"signal {-ended.returncode}" if ended.returncode < 0 else f"exit code {ended.returncode}"
        return f"{name} ended with {how}."
    return ""


@contextlib.contextmanager
def _interrupts_are_the_programs() -> Iterator[None]:
    """ctrl+c reaches every process in front: it is for the program, and must not end the console."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: None)  # not ignored: that the program would inherit
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
