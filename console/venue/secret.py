"""A secret that is handed to a venue and shown to nobody."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final
from urllib.parse import quote

from console.domain.errors import UsageError
from console.domain.text import Safe, clean, redact

HIDDEN: Final = "***"
MOST: Final = 4_096
SHORTEST: Final = 4
"""A shorter one is not looked for in texts: it would take words apart."""


class Secret:
    """A key; its text comes out by `reveal` alone, and `hide` takes it out of what is shown."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not written anywhere")

    def reveal(self) -> str:
        """Its text, for the header of a request."""
        return self._text

    def hide(self, text: object, limit: int = 256) -> Safe:
        """A text from a venue without this secret, or anything else that looks like one, as one safe line."""
        shown = str(clean(text, 8_192))
        if len(self._text) >= SHORTEST:
            for form in {self._text, quote(self._text, safe=""), self._text.strip("=")}:
                shown = shown.replace(form, HIDDEN)
        return redact(shown, limit)

    @classmethod
    def checked(cls, text: str, where: str) -> Secret:
        """A secret that can stand in a header.

        Raises:
            UsageError: it can't; the message does not hold it.
        """
        text = text.strip()
        if not text or len(text) > MOST or not text.isascii() or not text.isprintable():
            raise UsageError(f"The venue's key in {where} is no line of 1 to {MOST} ASCII characters.")
        return cls(text)

    @classmethod
    def from_file(cls, path: Path) -> Secret:
        """The secret in a file.

        Raises:
            UsageError: it can't be read, others can read it too, or it holds no key.
        """
        shown = clean(str(path), 120)
        if path.exists() and not path.is_file():
            raise UsageError(f"The venue's key: {shown} is no file.")
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                raw = file.read(MOST + 3)
        except OSError as error:
            raise UsageError(f"The venue's key: {shown} can't be read: {error.strerror}.") from error
        if mode & 0o077:
            raise UsageError(
                f"The venue's key: {shown} can be read by others than its owner.", f"chmod 600 {shown} mends it."
            )
        return cls.checked(raw.decode("ascii", "replace").replace("\ufffd", "\x00"), str(shown))
