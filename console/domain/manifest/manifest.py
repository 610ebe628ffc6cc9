"""A version's manifest: what it is made of, each part by its hash.

Only hashes and short labels are in it, never what was hashed: it travels, and is shown to whoever may read the store.
A part that nobody declared is *unknown*, and unknown is never taken for equal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from console.domain.errors import UsageError
from console.domain.manifest.mark import NOBODY, SHORT, Mark, Part, mark_of

UNDECLARED: Final = "not declared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a version is.

    Args:
        code, model, prompt, tools, flags, state: its parts.
        schema: number of the state's schema (`Settings.schema`); None where nobody said.
        reads: numbers of the schemas from which it has migrations of its own.
    """

    code: Mark = NOBODY
    model: Mark = NOBODY
    prompt: Mark = NOBODY
    tools: Mark = NOBODY
    flags: Mark = NOBODY
    state: Mark = NOBODY
    schema: int | None = None
    reads: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        code: object = None,
        model: str | Mapping[str, str] | None = None,
        prompt: object = None,
        tools: object = None,
        flags: object = None,
        state: object = None,
    ) -> Self:
        """The manifest of what an author declares; what is None stays unknown, and `""` says that there is none.

        Args:
            code: text, bytes, or name → text (`console.agent.source_files("bot")` reads files).
            model: the resolved snapshot ("gpt-x-2026-01-01"), or what it is for → snapshot.
            prompt: text, or name → text.
            tools: the definitions as they are sent to the model, a list of objects with names or name → definition.
            flags: the `FlagSpec`s that are read; a controller adds its own where this is left out.
            state: a description of the state's schema: field → type, or any text that changes whenever it does.

        Raises:
            UsageError: nothing is declared, or a value has no canonical form.
        """
        given = {"code": code, "model": model, "prompt": prompt, "tools": tools, "flags": flags, "state": state}
        if all(value is None for value in given.values()):
            raise UsageError("A manifest declares at least one part.", "Manifest.of(code=…, model=…, prompt=…).")
        return cls(**{name: NOBODY if value is None else mark_of(value, name) for name, value in given.items()})  # type: ignore[arg-type]

    @property
    def hash(self) -> str:
        """Of the whole: the SHA-256 of its six hashes."""
        lines = "".join(f"{part.value}={self.mark(part).hash or '-'}\n" for part in Part)
        return hashlib.sha256(lines.encode()).hexdigest()

    @property
    def short(self) -> str:
        """Its hash as it is shown."""
        return self.hash[:SHORT]

    @property
    def unknown(self) -> tuple[Part, ...]:
        """The parts that nobody declared."""
        return tuple(part for part in Part if not self.mark(part).known)

    def mark(self, part: Part) -> Mark:
        """One of its parts."""
        mark: Mark = getattr(self, part.value)
        return mark
