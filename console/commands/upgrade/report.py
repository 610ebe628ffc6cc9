"""`upgrade report`: a run as one file that a colleague can read, and anybody can verify without a store."""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from console.domain.errors import Refused, UsageError
from console.domain.manifest.differences import differences
from console.domain.manifest.manifest import UNDECLARED
from console.domain.text import clean
from console.domain.upgrade.made_of import BothMadeOf, both_text, read_both
from console.domain.upgrade.run import MEANING, UpgradeRun
from console.domain.upgrade.stored import MAX_BYTES, read_run, run_text
from console.views.upgrade import MARKS, headline

MAX_REPORT_BYTES: Final = 8 * MAX_BYTES
_SEAL: Final = "sha256: "
_FENCE: Final = "```"


class Read(NamedTuple):
    """What a report holds.

    Args:
        run: the run.
        both: what its versions are made of; None in a report of an earlier release.
    """

    run: UpgradeRun
    both: BothMadeOf | None


def report_text(run: UpgradeRun, both: BothMadeOf | None = None) -> bytes:
    """The report: its last line is the SHA-256 of all before it.

    Args:
        run: the run.
        both: what its versions are made of; None leaves that out.
    """
    lines = _told(run)
    if both is not None:
        lines += ["", "## What differs between the versions", "", *_differ(both)]
        lines += ["", "## What they are made of, as it is recorded", "", *_block(both_text(both))]
    lines += ["", "## The run as it is recorded", "", *_block(run_text(run)), ""]
    data = f"{chr(10).join(lines)}\n".encode()
    return data + f"{_SEAL}{hashlib.sha256(data).hexdigest()}\n".encode()


def _told(run: UpgradeRun) -> list[str]:
    lines = [
        f"# Upgrade of {_plain(run.agent)}: {run.old.value} → {run.target.value}",
        "",
        _plain(headline(run)),
        "",
        f"- begun by {_plain(run.by)} at {run.began_at.isoformat()}",
        f"- switched at {run.switched_at.isoformat()}" if run.switched_at else "- not switched",
        f"- id {_plain(run.id)}",
    ]
    for step in run.steps:
        lines += ["", f"## {MARKS[step.state]} {step.name.value}: {step.state.value}", "", f"{MEANING[step.name]}."]
        if step.note:
            lines += ["", _plain(step.note)]
        if step.ended_at is not None:
            lines += ["", f"Ended at {step.ended_at.isoformat()}; {_plain(step.by) or 'nobody'}."]
        if step.evidence:
            lines += ["", "| what | value | seen at | where |", "|---|---|---|---|"]
        lines += [
            f"| {_plain(one.what)} | {_plain(one.value)} | {one.at.isoformat()} | {_plain(one.source)} |"
            for one in step.evidence
        ]
    return lines


def _blocks(body: str) -> list[str]:
    """What is recorded in a report: what the versions are made of, where that is in it, and the run.

    Raises:
        UsageError: there is nothing, or more.
    """
    lines = body.split("\n")
    blocks = [lines[at + 1] for at, line in enumerate(lines[:-1]) if line == f"{_FENCE}json"]
    if not 1 <= len(blocks) <= 2:
        raise UsageError("It is no report of a run.")
    return blocks


def _block(text: str) -> list[str]:
    return [f"{_FENCE}json", text, _FENCE]


def _differ(both: BothMadeOf) -> list[str]:
    """Part by part, as `manifest` has it."""
    lines = [f"As the store had it at {both.read_at.isoformat()}."]
    if both.problem:
        lines += ["", f"Not all of it can be read: {_plain(both.problem)}."]
    for one in (both.old, both.new):
        name = _plain(one.version) or "a version that nobody named"
        made = one.manifest
        since = f", declared at {one.at.isoformat()} by {_plain(one.by)}" if one.at else ""
        lines += ["", f"- {name}: {made.hash if made else UNDECLARED}{since}"]
        lines += [f"- {name} changed while it ran: {_plain(one.change)}"] if one.change else []
    before, after = both.old.manifest, both.new.manifest
    if before is None or after is None:
        return [*lines, "", "What differs can't be told: each of both has to declare what it is made of."]
    lines += ["", "| part | stands | from | to | what of it |", "|---|---|---|---|---|"]
    for part in differences(before, after):
        labels = " → ".join(dict.fromkeys(label for label in (part.before.label, part.after.label) if label))
        what = _plain(", ".join(part.fields) or labels)
        lines.append(
            f"| {part.part.value} | {part.verdict.value} | {part.before.short} | {part.after.short} | {what} |"
        )
    return lines


def _plain(text: str) -> str:
    """A text from outside that is no markup: neither a cell's end, nor a tag, a link or a code span."""
    told = str(clean(text, 250)).replace("\\", "\\\\")
    for sign in "|<[`":
        told = told.replace(sign, f"\\{sign}")
    return told


def verified(data: bytes) -> UpgradeRun:
    """The run in a report that is as it was written; see `read_report`."""
    return read_report(data).run


def read_report(data: bytes) -> Read:
    """What stands in a report that is as it was written.

    Raises:
        Refused: it is not: a byte differs, something is missing, or stands behind the seal.
    """
    if len(data) > MAX_REPORT_BYTES:
        raise Refused(f"A report has at most {MAX_REPORT_BYTES:,} bytes.")
    body, mark, seal = data.rpartition(_SEAL.encode())
    if not mark or not body.endswith(b"\n"):
        raise Refused("It has no seal: the last line of a report is its SHA-256.", "It may have been cut off.")
    if seal != f"{hashlib.sha256(body).hexdigest()}\n".encode():
        raise Refused("It is not as it was written: its SHA-256 is another.", "Ask for the report again.")
    try:
        blocks = _blocks(body.decode())
        run = read_run(blocks[-1])
        both = read_both(blocks[0]) if len(blocks) == 2 else None
        again = report_text(run, both)
    except (UnicodeDecodeError, UsageError, Refused) as error:
        raise Refused(f"It holds no run: {clean(str(error), 160)}") from error
    if again != data:
        raise Refused("What it tells is not what is recorded in it.", "Somebody wrote it anew; ask for it again.")
    return Read(run, both)
