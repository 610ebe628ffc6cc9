"""`upgrade report`: a run as one file that a colleague can read, and anybody can verify without a store."""

from __future__ import annotations

import hashlib
from typing import Final

from console.domain.errors import Refused, UsageError
from console.domain.text import clean
from console.domain.upgrade.run import MEANING, UpgradeRun
from console.domain.upgrade.stored import MAX_BYTES, read_run, run_text
from console.views.upgrade import MARKS, headline

MAX_REPORT_BYTES: Final = 8 * MAX_BYTES
_SEAL: Final = "sha256: "
_FENCE: Final = "```"


def report_text(run: UpgradeRun) -> bytes:
    """The report: its last line is the SHA-256 of all before it."""
    body = "\n".join((*_told(run), "", "## The run as it is recorded", "", f"{_FENCE}json", run_text(run), _FENCE, ""))
    data = f"{body}\n".encode()
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


def _plain(text: str) -> str:
    """A text from outside that is no markup: neither a cell's end, nor a tag, a link or a code span."""
    told = str(clean(text, 250)).replace("\\", "\\\\")
    for sign in "|<[`":
        told = told.replace(sign, f"\\{sign}")
    return told


def verified(data: bytes) -> UpgradeRun:
    """The run in a report that is as it was written.

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
        opening = f"\n{_FENCE}json\n"
        text = body.decode().rpartition(opening)[2].removesuffix(f"\n{_FENCE}\n\n")
        run = read_run(text.removesuffix(f"\n{_FENCE}\n"))
    except (UnicodeDecodeError, UsageError) as error:
        raise Refused(f"It holds no run: {clean(str(error), 160)}") from error
    if report_text(run) != data:
        raise Refused("What it tells is not what is recorded in it.", "Somebody wrote it anew; ask for it again.")
    return run
