"""`rehearse`: run a new version over the recorded inputs, and keep what came of it as evidence for that version."""

from __future__ import annotations

import os
import shlex
from tempfile import TemporaryDirectory

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.rehearse.asked import PARAMS, Asked, asked_for, checked_version
from console.commands.rehearse.environment import environment_for
from console.commands.rehearse.recording import Recording, Wanted
from console.commands.rehearse.rehearsing import Rehearsed, Trial, rehearse
from console.domain.errors import Refused, UsageError
from console.domain.manifest.recorded import of_version
from console.domain.operator.command import CommandInfo, Preview
from console.domain.operator.receipt import Change, Receipt
from console.domain.rehearsal.evidence import Evidence, figures, why_not
from console.domain.rehearsal.report import FIELDS_SHOWN, FirstFault, RehearsalReport
from console.domain.text import clean, redact


class Rehearse(Command):
    """Run a new version over recorded inputs; what it decides otherwise, less its own noise, is priced and kept."""

    info = CommandInfo(
        name="rehearse",
        title="Rehearse a version",
        summary="Run a new version's command over recorded inputs; exit code 1 where it decides otherwise.",
        params=PARAMS,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        asked = asked_for(call, ctx.decisions, ctx.clock())
        version = await version_of(ctx, call)
        return Preview(
            title=f"Rehearse {version or 'a version'}?",
            changes=(Change("runs", None, str(redact(shlex.join(asked.command), 200))),),
            arguments=dict(call.args),
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        report = await run(ctx, call)
        if call.given("no_keep"):
            begun = ctx.gateway.begin(self.order(call), writes=False)
            return begun.receipt(note=f"{report.figures}; not kept")
        return await keep(ctx, call, report)


async def version_of(ctx: Context, call: Call) -> str:
    """Which version is rehearsed: as it is named, else what the target side runs; empty where nothing is kept and none
    is named.

    Raises:
        UsageError: it is to be kept, and is not known.
    """
    if named := call.args.get("agent_version", ""):
        return checked_version(named)
    if call.given("no_keep"):
        return ""
    from console.commands.gates.checklist import target_of
    from console.commands.gates.gather import version_that_runs

    reading = await ctx.read()
    side = target_of(call, reading.deployment)
    version = await version_that_runs(ctx, reading, side) if side is not None else ""
    if not version:
        raise UsageError(
            "Which version this is, is not known: no side that stands by says it.",
            "--agent-version names it; --no-keep keeps nothing.",
        )
    return checked_version(version)


async def run(ctx: Context, call: Call) -> RehearsalReport:
    """Rehearse; nothing is kept by this.

    Raises:
        ReadOnly: it is to be kept, and this console may only look.
        Refused: there is nothing to rehearse.
        UsageError: something in the call can't be understood or started, or a log can't be read.
    """
    asked = asked_for(call, ctx.decisions, ctx.clock())
    if not call.given("no_keep"):
        ctx.gateway.require_writable(Rehearse.info.name)
    version = await version_of(ctx, call)
    wanted = Wanted(asked.since, asked.until, asked.kinds, version, asked.most, ctx.outcome_paths, ctx.log_options)
    recording = Recording(asked.logs, wanted)
    with TemporaryDirectory(prefix="rehearsal-") as home:
        env = environment_for(os.environ, asked.named, home)
        trial = Trial(asked.command, env, asked.runs, asked.timeout_s, asked.deadline_s, asked.rules)
        rehearsed = await rehearse(recording, trial)
    if not rehearsed.asked and not rehearsed.faults:
        left_out = ", ".join(f"{count:,} {why}" for why, count in recording.skipped.items() if count)
        raise Refused(
            "There is nothing to rehearse: no recorded round of that time"
            + (f"; left out: {left_out}." if left_out else "."),
            "--last, --since and --until say of which time; each line needs timestamp, decision_type, inputs, output.",
        )
    return _report(ctx, asked, version, recording, rehearsed, tuple(sorted(env)))


async def keep(ctx: Context, call: Call, report: RehearsalReport) -> Receipt:
    """Keep what came of it as evidence for the version, in place of what was kept before.

    Raises:
        Refused: no round was given, so that nothing is known.
        ReadOnly, StoreUnreachable, Conflict: as named.
    """
    if report.first is None or report.last is None:
        raise Refused("Nothing is kept of a rehearsal that never came to a round.")
    from console.commands.gates.of_store import manifests_seen

    gates = ctx.gateway.gates
    held = of_version((await manifests_seen(ctx)).recorded, report.version)
    me, now = await gates.person(), await gates.now()
    evidence = Evidence(
        version=report.version,
        passed=report.passed,
        words=str(clean(report.figures, 256)),
        rounds=report.rounds,
        differing=report.differing,
        faults=sum(report.faults.values()),
        runs=report.runs,
        first=report.first,
        last=report.last,
        inputs_sha256=report.inputs_sha256,
        command=str(report.command),
        allowances=report.allowances,
        who=str(clean(me.who, 128)),
        login=me.login,
        at=now,
        manifest=held.hash if held is not None else "",
    )
    return await gates.rehearsed(evidence, Rehearse().order(call))


def _report(
    ctx: Context, asked: Asked, version: str, recording: Recording, rehearsed: Rehearsed, names: tuple[str, ...]
) -> RehearsalReport:
    compared, faults = rehearsed.compared, rehearsed.faults
    why = why_not(compared, faults, asked.limits)
    return RehearsalReport(
        agent=ctx.agent,
        version=version,
        passed=not why,
        why=why,
        figures=figures(compared, faults, asked.runs),
        command=redact(shlex.join(asked.command), 200),
        logs=tuple(str(clean(str(path))) for path in asked.logs),
        first=rehearsed.first,
        last=rehearsed.last,
        inputs_sha256=rehearsed.inputs_sha256,
        asked=rehearsed.asked,
        rounds=compared.rounds,
        runs=asked.runs,
        differing=compared.differing,
        unsteady=compared.unsteady,
        share=compared.differing / compared.rounds if compared.rounds else None,
        faults=faults,
        first_fault=FirstFault.of(rehearsed.problem) if rehearsed.problem else None,
        first_difference=compared.first,
        fields=compared.fields[:FIELDS_SHOWN],
        priced=compared.priced,
        unpriced=compared.unpriced,
        earned=compared.earned,
        skipped={why: count for why, count in recording.skipped.items() if count},
        capped=recording.capped,
        allowances=asked.allowances,
        environment=names,
        stderr=rehearsed.stderr,
        elapsed_s=round(rehearsed.elapsed_s, 3),
        kept=False,
    )
