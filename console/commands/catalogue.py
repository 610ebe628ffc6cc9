"""Every command, in the order of help. A new verb is one file and one line here.

A command's module is imported when the command is asked for, so that `switch` does not pay for `snapshot restore`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from console.commands.base import Command, Query
    from console.domain.operator.command import CommandInfo

_WHERE: Final = {
    "switch": "console.commands.fence.switch:Switch",
    "rollback": "console.commands.fence.rollback:Rollback",
    "halt": "console.commands.fence.halt:Halt",
    "resume": "console.commands.fence.resume:Resume",
    "undo": "console.commands.fence.undo:Undo",
    "checklist": "console.commands.gates.checklist:Checklist",
    "checklist tick": "console.commands.gates.tick:ChecklistTick",
    "approvals": "console.commands.gates.approvals:Approvals",
    "approve": "console.commands.gates.approve:Approve",
    "flag list": "console.commands.flag.get:FlagList",
    "flag get": "console.commands.flag.get:FlagGet",
    "flag set": "console.commands.flag.set:FlagSet",
    "flag toggle": "console.commands.flag.toggle:FlagToggle",
    "flag unset": "console.commands.flag.unset:FlagUnset",
    "snapshot take": "console.commands.snapshot.take:SnapshotTake",
    "snapshot show": "console.commands.snapshot.show:SnapshotShow",
    "snapshot restore": "console.commands.snapshot.restore:SnapshotRestore",
    "snapshot prune": "console.commands.snapshot.prune:SnapshotPrune",
    "doubts list": "console.commands.fence.doubts:DoubtsList",
    "doubts resolve": "console.commands.fence.doubts:DoubtResolve",
    "commitments list": "console.commands.commitments.list:CommitmentsList",
    "commitments give": "console.commands.commitments.give:CommitmentsGive",
    "versions": "console.commands.commitments.versions:Versions",
    "manifest": "console.commands.commitments.manifest:ManifestShow",
    "retire": "console.commands.commitments.retire:Retire",
    "canary start": "console.commands.canary.start:CanaryStart",
    "canary promote": "console.commands.canary.promote:CanaryPromote",
    "canary set": "console.commands.canary.set:CanarySet",
    "canary pause": "console.commands.canary.pause:CanaryPause",
    "canary resume": "console.commands.canary.pause:CanaryResume",
    "canary abort": "console.commands.canary.abort:CanaryAbort",
    "upgrade start": "console.commands.upgrade.start:UpgradeStart",
    "upgrade go": "console.commands.upgrade.go:UpgradeGo",
    "upgrade show": "console.commands.upgrade.show:UpgradeShow",
    "upgrade review": "console.commands.upgrade.change:UpgradeReview",
    "upgrade resume": "console.commands.upgrade.change:UpgradeResume",
    "upgrade abort": "console.commands.upgrade.change:UpgradeAbort",
    "experiment define": "console.commands.experiment.define:ExperimentDefine",
    "experiment start": "console.commands.experiment.run:ExperimentStart",
    "experiment stop": "console.commands.experiment.run:ExperimentStop",
    "experiment adopt": "console.commands.experiment.adopt:ExperimentAdopt",
    "rehearse": "console.commands.rehearse.rehearse:Rehearse",
    "decisions list": "console.commands.decisions.listing:DecisionsList",
    "decisions search": "console.commands.decisions.listing:DecisionsSearch",
    "decisions show": "console.commands.decisions.show:DecisionsShow",
    "decisions sum": "console.commands.decisions.sums:DecisionsSum",
    "logs check": "console.commands.logs.check:LogsCheck",
    "evidence": "console.commands.evidence.take:Evidence",
    "evidence verify": "console.commands.evidence.verify:EvidenceVerify",
    "audit verify": "console.commands.audit.verify:AuditVerify",
    "archive run": "console.commands.archive.run:ArchiveRun",
    "archive verify": "console.commands.archive.verify:ArchiveVerify",
    "archive restore": "console.commands.archive.restore:ArchiveRestore",
    "venue check": "console.commands.venue.check:VenueCheck",
    "balances": "console.commands.venue.balances:Balances",
    "guard ack": "console.commands.guard.ack:GuardAck",
    "guard set": "console.commands.guard.set:GuardSet",
}

GROUPS: Final = {
    "flag": "Read and change feature flags.",
    "doubts": "Actions whose outcome nobody knows: list them, resolve them with evidence.",
    "venue": "Ask the venue itself, as its document says.",
    "commitments": "What is owed: list it, give it to another side.",
    "decisions": "Whole decision logs, however long: list, search, show, sum.",
    "logs": "What is read of a decision log, line by line.",
    "archive": "Move what was recorded into files, verify those, and put them back.",
}
"""What the verbs of one first word are about, where no module of `console.cli` says it."""


def names() -> tuple[str, ...]:
    """Every command's name; none is imported."""
    return tuple(_WHERE)


def names_in(group: str) -> tuple[str, ...]:
    """The second words of the commands whose first word this is."""
    return tuple(rest for first, _, rest in (name.partition(" ") for name in _WHERE) if first == group and rest)


@cache
def find(name: str) -> Command | Query | None:
    """The command of that name; None where there is none."""
    where = _WHERE.get(name)
    if where is None:
        return None
    module, _, attribute = where.partition(":")
    command: Command | Query = getattr(import_module(module), attribute)()
    return command


@cache
def commands() -> tuple[Command | Query, ...]:
    """Every command."""
    return tuple(command for name in _WHERE if (command := find(name)) is not None)


@cache
def declarations() -> tuple[CommandInfo, ...]:
    """What every command declares; of none that is written down is the module imported."""
    from console.commands.declared import DECLARED

    known = {info.name: info for info in DECLARED}
    told = (known.get(name) or getattr(find(name), "info", None) for name in _WHERE)
    return tuple(info for info in told if info is not None)
