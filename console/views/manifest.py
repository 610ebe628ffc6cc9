"""A version's manifest as it is shown, and two of them side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.domain.document import Record, Report
from console.domain.fence.deployment import Instance
from console.domain.manifest.differences import Verdict, differences, same
from console.domain.manifest.manifest import UNDECLARED, Manifest
from console.domain.manifest.mark import SHORT, Part
from console.domain.manifest.recorded import Recorded
from console.domain.text import clean


@dataclass(frozen=True, slots=True)
class VersionManifest(Record):
    """What a version is held to.

    Args:
        version: its name; empty where nobody knows which runs.
        slot: where it runs, or was declared; null where nobody knows.
        hash: of its manifest; null where it declared none.
        at: when it was declared.
        by: the instance that declared it.
        schema: number of its state's schema.
        reads: numbers of the schemas that it migrates.
        changed: what an instance of it declared that is another, in words; empty for nothing. New risk is frozen then.
        others: living instances of it that run another manifest than that.
    """

    version: str
    slot: str | None
    hash: str | None
    at: datetime | None
    by: str
    schema: int | None
    reads: tuple[int, ...]
    changed: str
    others: tuple[str, ...]

    @classmethod
    def of(
        cls, version: str, slot: str | None, recorded: Recorded | None, living: Sequence[Instance]
    ) -> VersionManifest:
        """The manifest of a version.

        Args:
            version: its name.
            slot: where it runs; None to take where it was declared.
            recorded: as the store has it; None for none declared.
            living: instances with a fresh heartbeat.
        """
        own = recorded.declared if recorded is not None else None
        made = own.manifest if own is not None else None
        held = made.hash if made is not None else ""
        where = own.slot.value if own is not None and own.slot is not None else None
        return cls(
            version=clean(version, 64),
            slot=slot or where,
            hash=held or None,
            at=own.at if own is not None else None,
            by=own.instance if own is not None else "",
            schema=made.schema if made is not None else None,
            reads=made.reads if made is not None else (),
            changed=clean(recorded.change(), 400) if recorded is not None else "",
            others=tuple(str(one.name) for one in living if str(one.version) == version and one.manifest != held),
        )

    @property
    def well(self) -> bool:
        """Whether all that runs is what the version is held to."""
        return not self.changed and not self.others

    @property
    def title(self) -> str:
        """Its name, where it runs, and its hash."""
        return f"{self.version or '(no version)'} {self.slot or '-'} {self.hash[:SHORT] if self.hash else UNDECLARED}"

    def lines(self) -> Iterator[str]:
        """It, for people."""
        since = f"  since {self.at:%Y-%m-%d %H:%M:%S}Z, by {self.by}" if self.at is not None else ""
        yield f"{self.title}{since}"
        if self.schema is not None:
            reads = f", migrates {', '.join(map(str, self.reads))}" if self.reads else ""
            yield f"  state schema {self.schema}{reads}"
        if self.changed:
            yield f"  CHANGED while it runs: {self.changed}; new risk is frozen until `resume` accepts it"
        if self.others:
            yield f"  {len(self.others)} run another one: {', '.join(self.others[:3])}"


@dataclass(frozen=True, slots=True)
class PartReport(Record):
    """One part, in one manifest or in both.

    Args:
        part: code, model, prompt, tools, flags or state.
        verdict: same, changed or unknown; null where one manifest is shown.
        before: its hash in the first; null for unknown.
        after: its hash in the second; null for unknown.
        before_label: a few words about it in the first.
        after_label: the same in the second.
        fields: its members that were added (`+name`), taken away (`-name`) or changed.
    """

    part: str
    verdict: str | None
    before: str | None
    after: str | None
    before_label: str
    after_label: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ManifestReport(Report):
    """One manifest, or two and what differs.

    Args:
        same: whether every part is known and the same in both; null where one manifest is shown.
        before: the first.
        after: the second; null where one is shown.
        parts: the six parts; empty where nothing was declared.
    """

    same: bool | None
    before: VersionManifest
    after: VersionManifest | None
    parts: tuple[PartReport, ...]

    @classmethod
    def of_one(cls, shown: VersionManifest, manifest: Manifest | None) -> ManifestReport:
        """One manifest."""
        marks = [(part, manifest.mark(part)) for part in Part] if manifest is not None else []
        parts = [PartReport(part.value, None, mark.hash or None, None, mark.label, "", ()) for part, mark in marks]
        return cls(None, shown, None, tuple(parts))

    @classmethod
    def of_two(
        cls, shown: tuple[VersionManifest, VersionManifest], before: Manifest | None, after: Manifest | None
    ) -> ManifestReport:
        """Two manifests, part by part; one that was not declared is unknown in all of them."""
        nothing = Manifest()
        first, second = before or nothing, after or nothing
        parts = [
            PartReport(
                one.part.value, one.verdict.value, one.before.hash or None, one.after.hash or None,
                one.before.label, one.after.label, one.fields,
            )
            for one in differences(first, second)
        ]  # fmt: skip
        return cls(same(first, second), *shown, tuple(parts))

    @property
    def well(self) -> bool:
        """Whether nothing differs, and all that runs is what its version is held to."""
        shown = (self.before,) if self.after is None else (self.before, self.after)
        return self.same is not False and all(one.well for one in shown)

    def lines(self) -> Iterator[str]:
        """A line for each version, then one a part."""
        yield from self.before.lines()
        if self.after is not None:
            yield from self.after.lines()
        for one in self.parts:
            yield "  ".join(_cells(one)).rstrip()

    def note(self) -> str:
        """What it comes to; empty for one manifest."""
        if self.same is None:
            return ""
        changed = [one.part for one in self.parts if one.verdict == Verdict.CHANGED]
        unknown = [one.part for one in self.parts if one.verdict == Verdict.UNKNOWN]
        told = [f"changed: {', '.join(changed)}"] if changed else []
        told += [f"can't be told, since not declared: {', '.join(unknown)}"] if unknown else []
        return "; ".join(told).capitalize() + "." if told else "Every part is the same."


def _cells(one: PartReport) -> list[str]:
    before = f"{one.before[:SHORT] if one.before else 'unknown':<{SHORT}}"
    if one.verdict is None:
        return [f"{one.part:<6}", before, one.before_label]
    after = f"{one.after[:SHORT] if one.after else 'unknown':<{SHORT}}"
    labels = " → ".join(dict.fromkeys(label for label in (one.before_label, one.after_label) if label))
    return [f"{one.part:<6}", f"{one.verdict:<7}", before, after, ", ".join(one.fields) or labels]
