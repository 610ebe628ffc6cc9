"""The store's password, from where it is kept: a variable, a file of its owner, or a command that prints it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote, urlsplit

from msgspec import Meta, Struct

from console.domain.errors import UsageError
from console.domain.text import clean
from console.regular import SharedFileError, read_owned

COMMAND_S: Final = 30.0
"""A command that has printed nothing by then is ended: some ask a person first."""
LONGEST: Final = 4_096


class PasswordSource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`password`: where the store's password comes from; one of `env`, `file` and `command`."""

    env: Annotated[str, Meta(description="The variable that holds it.")] = ""
    file: Annotated[str, Meta(description="A file of mode 600 that holds it.")] = ""
    command: Annotated[tuple[str, ...], Meta(description="A command, word by word, that prints it.")] = ()

    def __str__(self) -> str:
        """Where it comes from; of a command its first word alone, since others may be secrets."""
        if self.command:
            return f"command {clean(self.command[0], 80)}"
        return f"file {clean(self.file, 120)}" if self.file else f"env {clean(self.env, 80)}"

    def read(self, environ: Mapping[str, str]) -> str:
        """The password.

        Raises:
            UsageError: there is none, or not exactly one place is named; no text holds what was read.
        """
        if sum(map(bool, (self.env, self.file, self.command))) != 1:
            raise UsageError("`password` names one of env, file and command.")
        if self.command:
            text = _printed(self.command)
        elif self.file:
            text = _kept(Path(self.file).expanduser())
        else:
            text = environ.get(self.env, "")
        text = text.removesuffix("\n").removesuffix("\r")
        if not text or len(text) > LONGEST or not text.isprintable():
            raise UsageError(f"The store's password from {self} is no line of 1 to {LONGEST} printable characters.")
        return text


def _kept(path: Path) -> str:
    shown = clean(str(path), 120)
    try:
        return read_owned(path, LONGEST + 2).decode()
    except SharedFileError as error:
        raise UsageError(
            f"The store's password: {shown} can be read by others than its owner.", f"chmod 600 {shown} mends it."
        ) from error
    except OSError as error:
        raise UsageError(f"The store's password: {shown} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise UsageError(f"The store's password: {shown} is no text.") from None


def _printed(command: tuple[str, ...]) -> str:
    import subprocess  # no verb pays for it that asks no command

    name = clean(command[0], 80)
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=COMMAND_S, check=False)
    except subprocess.TimeoutExpired:
        raise UsageError(f"The store's password: {name} printed none within {COMMAND_S:.0f} s.") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"The store's password: {name} can't be run: {clean(str(error), 120)}.") from None
    if done.returncode:
        raise UsageError(f"The store's password: {name} ended with exit code {done.returncode}.")
    return done.stdout[: LONGEST * 4 + 2].decode("utf-8", "replace").replace("\ufffd", "\x00")


def with_password(url: str, source: PasswordSource | None, environ: Mapping[str, str] | None = None) -> str:
    """A store's URL with the password that belongs to it.

    Raises:
        UsageError: it can't be had, or the URL has one already.
    """
    if source is None:
        return url
    parts = urlsplit(url)
    userinfo, _, host = parts.netloc.rpartition("@")
    user, colon, _password = userinfo.partition(":")
    if colon:
        raise UsageError("The store's URL has a password, and `password` names another one.", "Leave one of them out.")
    password = quote(source.read(os.environ if environ is None else environ), safe="")
    return parts._replace(netloc=f"{user}:{password}@{host}").geturl()
