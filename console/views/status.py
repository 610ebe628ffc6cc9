"""What `agent-console status` prints: one document for programs, one page for people, from the same observation."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from console.domain.fence.deployment import Deployment, Slot
from console.domain.operator.receipt import AuditEntry
from console.domain.seen.observation import LogFile, Observation, PnlTotal, VersionReading
from console.domain.state.flags import FlagReading
from console.views.fence.link import header_view, link_view, store_age_s, versions_of
from console.views.fence.slots import role_of, slot_view
from console.views.format import count_text, decimal_text, iso_text, plural
from console.views.guard.guards import NO_SICKNESS
from console.views.health import health_view
from console.views.lists import action_rows, flag_rows

Document = dict[str, Any]
_LARGEST_EXPONENT: Final = 300


def status_document(observation: Observation) -> Document:
    """The state of a deployment as plain values, ready to be encoded as JSON.

    The shape is stable; fields may be added, none is renamed or
    removed. Amounts of money are exact strings;
    times are ISO 8601 in UTC with milliseconds and `Z`, ages are seconds, `null` means not known.

    - `agent`, `at`, `healthy` (no check is worse than good, that no guard runs and that a warning was not seen aside),
      `fresh` (the store's reading is of the present)
    - `active`: `blue`, `green`, `draining`, `halted`, or null where the key says none of these
    - `active_key`: `{state, raw, written_from_outside}`; `state` is `slot`, `draining`, `halted`, `missing`, `unknown`
      or `wrong type` (then `raw` is that type)
    - `authority`: null, or `{epoch, generation, phase, active, target, previous, in_flight, in_doubt}`
    - `slots.blue`, `slots.green`: `{role, versions, decisions, rate_per_s, p50_ms, p99_ms, first_at, last_at, pnl,
      instances}`; `role` is `active`, `standby`, `draining`, `next`, `halted` or `unknown`; each of `pnl` is
      `{currency, dry, total, last_24h, rounds}`; each of `instances` is `{name, version, epoch_seen, acknowledged,
      heartbeat_at, in_flight, in_doubt}`
    - `flags.NAME`: `{value, type, raw, default, missing, problem}`; `type` is `bool`, `number`, `string` or null
    - `flags_more`: flags beyond those listed
    - `store`: `{url, state, latency_ms, age_s, server, error}`; passwords in the URL are hidden
    - `decisions`: `{total, rejected, rejected_by_reason, by_version, versions, files, skipped_bytes}`; `total` and
      `rejected` count lines, `by_version` counts decisions by version, `versions` has what a slot has; null for
      `decisions.total` where no log is followed
    - `actions`: the newest receipts, oldest first: `{id, at, command, who, why, changes, elapsed_ms, epoch, note}`
    - `canary`: null where there never was one, or `{run, slot, state, step, revision, share, loss_budget, currency,
      capital, began_at, step_began_at, by, why, problem, digest, plan, desk, next}`; `state` is `RUNNING`, `PAUSED`,
      `ABORTED` or `DONE`; `step` counts from 1; `plan` is as in a plan file; `desk` is null, or `{holder, at,
      share_in_force, routed_share, exposure_canary, exposure_stable, open_rounds, rounds, balance, budget_blocked,
      refused, sample_ratio, ratio_alarm, alarms, evidence}`; `sample_ratio` is `[seen, expected]`; `evidence` is null,
      or `{verdict, rounds_canary, rounds_stable, blocks, estimate, lower, upper, hidden, outside, rounds_needed}`;
      `next` is null, or `{action, gate, reason, rounds_needed, page}`: what the rules say now
    - `shadows`: each `{name, at, holder, rounds, diverged, noise_rounds, noise_diverged, ignored, tolerated, dropped,
      timed_out, raised, intents, live_pnl, shadow_pnl, unpriced, currency, fields}`; each of `fields` is `{path, kind,
      rounds, rate, noise, excess, money}`
    - `divergences`: null where no file of divergences is followed, or `{total, diverged, rejected, rejected_by_reason,
      skipped_bytes, files, fields}`; rates in `fields` are shares of the records, `files` is as in `decisions`
    - `experiments`: each `{name, state, revision, flag, a, b, rounds_each, margin, capital, currency, winner, by, why,
      report, problem}`, or `{name, problem}` where it can't be read; `report` is null, or `{at, verdict, rounds_a,
      rounds_b, estimate, lower, upper, ratio_alarm, due, rounds_needed, money_a, money_b, refused}`
    - `checks`: `{name, state, text, hint}`; `state` is `ok`, `warn`, `bad` or `unknown`

    Args:
        observation: what was seen.
    """
    store, logs = observation.store, observation.logs
    checks = health_view(observation)
    deployment = store.deployment if store else None
    return {
        "agent": observation.agent,
        "at": iso_text(observation.now),
        "healthy": all(check.tone.value not in ("warn", "bad") for check in checks if check.name not in NO_SICKNESS),
        "fresh": link_view(observation).fresh,
        "active": _active(deployment),
        "active_key": _active_key(deployment),
        "authority": _authority(deployment),
        "slots": {slot.value: _slot(observation, slot) for slot in Slot},
        "flags": {name: flag_document(flag) for name, flag in sorted(store.flags.items())} if store else {},
        "flags_more": store.flags_more if store else 0,
        "store": {
            "url": observation.link.url,
            "state": link_view(observation).state.value,
            "latency_ms": observation.link.latency_ms,
            "age_s": store_age_s(observation),
            "server": store.server if store else None,
            "error": observation.link.error or None,
        },
        "decisions": {
            "total": logs.total if logs else None,
            "rejected": sum(logs.rejected.values()) if logs else None,
            "rejected_by_reason": {str(reason): n for reason, n in logs.rejected.items()} if logs else {},
            "by_version": {name: reading.decisions for name, reading in logs.by_version.items()} if logs else {},
            "versions": {name: _reading(reading) for name, reading in logs.by_version.items()} if logs else {},
            "files": _files(logs.files) if logs else [],
            "skipped_bytes": logs.skipped_bytes if logs else 0,
        },
        "actions": [_action(entry) for entry in store.audit] if store else [],
        **_proofs(observation),
        "checks": [
            {
                "name": check.name,
                "state": check.tone.value if check.tone.value in ("ok", "warn", "bad") else "unknown",
                "text": check.text,
                "hint": check.hint,
            }
            for check in checks
        ],
    }


def _proofs(observation: Observation) -> Document:
    """What proves a new version; each view is imported only where there is something for it to say."""
    store, followed = observation.store, observation.divergences
    found: Document = {"canary": None, "shadows": [], "divergences": None, "experiments": []}
    if store is not None and store.canary is not None:
        from console.views.canary.canary import proposal_of
        from console.views.canary.told import canary_document

        found["canary"] = canary_document(store.canary, proposal_of(observation))
    if store is not None and store.shadows:
        from console.views.shadow.rates import shadow_document

        found["shadows"] = [shadow_document(report) for report in store.shadows]
    if followed is not None:
        from console.views.shadow.rates import field_document

        found["divergences"] = {
            "total": followed.total,
            "diverged": followed.diverged,
            "rejected": sum(followed.rejected.values()),
            "rejected_by_reason": dict(followed.rejected),
            "skipped_bytes": followed.skipped_bytes,
            "files": _files(followed.files),
            "fields": [field_document(rate) for rate in followed.fields],
        }
    if store is not None and store.experiments:
        from console.views.experiments import experiment_document

        found["experiments"] = [experiment_document(view) for view in store.experiments]
    return found


def _files(files: tuple[LogFile, ...]) -> list[Document]:
    return [
        {"path": file.path, "offset": file.offset, "size": file.size, "problem": file.problem or None} for file in files
    ]


def _active(deployment: Deployment | None) -> str | None:
    if deployment is None:
        return None
    key = deployment.active
    if key.slot is not None:
        return key.slot.value
    return key.state.value if key.state.value in ("draining", "halted") else None


def _active_key(deployment: Deployment | None) -> Document | None:
    if deployment is None:
        return None
    key = deployment.active
    return {"state": key.state.value, "raw": key.raw, "written_from_outside": deployment.written_from_outside}


def _authority(deployment: Deployment | None) -> Document | None:
    authority = deployment.authority if deployment else None
    if authority is None:
        return None
    return {
        "epoch": authority.epoch,
        "generation": authority.generation,
        "phase": authority.phase.value,
        "active": authority.active.value if authority.active else None,
        "target": authority.target.value if authority.target else None,
        "previous": authority.previous.value if authority.previous else None,
        "in_flight": authority.in_flight,
        "in_doubt": authority.in_doubt,
    }


def _slot(observation: Observation, slot: Slot) -> Document:
    deployment = observation.store.deployment if observation.store else None
    reading = observation.logs.by_slot.get(slot.value) if observation.logs else None
    instances = [i for i in deployment.instances if i.slot is slot] if deployment else []
    return {
        "role": role_of(deployment, slot)[0].lower(),
        "versions": list(versions_of(observation, slot.value)),
        **_reading(reading),
        "instances": [
            {
                "name": instance.name,
                "version": instance.version,
                "epoch_seen": instance.epoch_seen,
                "acknowledged": instance.acknowledged(deployment.epoch if deployment else 0),
                "heartbeat_at": iso_text(instance.heartbeat_at),
                "in_flight": instance.in_flight,
                "in_doubt": instance.in_doubt,
            }
            for instance in instances
        ],
    }


def _reading(reading: VersionReading | None) -> Document:
    return {
        "decisions": reading.decisions if reading else 0,
        "rate_per_s": reading.rate_per_s if reading else 0.0,
        "p50_ms": reading.p50_ms if reading else None,
        "p99_ms": reading.p99_ms if reading else None,
        "first_at": iso_text(reading.first_at) if reading and reading.first_at else None,
        "last_at": iso_text(reading.last_at) if reading and reading.last_at else None,
        "pnl": [_pnl(total) for total in reading.pnl] if reading else [],
    }


def _pnl(total: PnlTotal) -> Document:
    return {
        "currency": total.currency,
        "dry": total.dry,
        "total": decimal_text(total.total),
        "last_24h": decimal_text(total.last_24h),
        "rounds": total.rounds,
    }


def flag_document(flag: FlagReading) -> Document:
    """One flag: `value` as bool, number or text; `raw` holds a number's exact digits."""
    value: object = flag.value
    if isinstance(value, Decimal):
        value = _number(value)
    return {
        "value": value,
        "type": flag.type.value if flag.type else None,
        "raw": None if flag.missing else flag.raw,
        "default": flag.spec.default if flag.spec else None,
        "missing": flag.missing,
        "problem": flag.problem or None,
    }


def _number(value: Decimal) -> int | float | str:
    """A JSON number, or text where no such number comes near it."""
    if abs(value.adjusted()) > _LARGEST_EXPONENT:
        return decimal_text(value)
    return int(value) if value == value.to_integral_value() and abs(value) < 2**53 else float(value)


def _action(entry: AuditEntry) -> Document:
    return {
        "id": entry.id,
        "at": iso_text(entry.at),
        "command": entry.command,
        "who": entry.who,
        "why": entry.why,
        "changes": [{"what": c.what, "before": c.before, "after": c.after} for c in entry.changes],
        "elapsed_ms": entry.elapsed_ms,
        "epoch": entry.epoch,
        "note": entry.note,
    }


def status_text(observation: Observation, width: int = 100) -> list[str]:
    """The same for people: aligned, without colour, no line longer than `width` (at least 40)."""
    width = max(40, width)
    header = header_view(observation)
    epoch = f"   epoch {header.epoch}" if header.epoch else ""
    lines = [
        f"{header.agent}   {header.url}   {header.link.text}   {header.mode}",
        f"active   {header.active_text}{epoch}{'   ' + header.warning if header.warning else ''}",
        "",
    ]
    for slot in Slot:
        view = slot_view(observation, slot)
        lines.append(f"{'■' if view.acts else '□'} {slot.value.upper():<6} {view.version:<12} {view.role}")
        lines += [f"    {text}" for text in view.empty or ("   ".join(f.text for f in facts) for facts in view.lines)]
        lines += [
            f"    {pnl.label} {pnl.amount:>12} {pnl.currency:<5} total {pnl.total:>12}   {plural(pnl.rounds, 'round')}"
            for pnl in view.pnl
        ]
    lines += ["", *_table("flags", {row.name: f"{row.glyph} {row.value}" for row in flag_rows(observation)})]
    checks = health_view(observation)
    lines += [""]
    for check in checks:
        lines.append(f"{check.glyph} {check.name:<9} {check.text}")
        if check.hint and check.tone.value in ("warn", "bad"):
            lines.append(f"            {check.hint}")
    lines += _proof_lines(observation)
    actions = action_rows(observation)[-5:]
    if actions:
        lines += ["", "last actions"]
        lines += [f"    {row.time}  {row.command:<12} {row.change}  {row.elapsed}  {row.who}" for row in actions]
    if observation.logs is not None:
        rejected = sum(observation.logs.rejected.values())
        lines += ["", f"decisions  {count_text(observation.logs.total)} read, {count_text(rejected)} refused"]
    return [line.rstrip() if len(line.rstrip()) <= width else line[: width - 1] + "…" for line in lines]


def _proof_lines(observation: Observation) -> list[str]:
    """Canary, shadows and experiments in a line or two each; nothing where there are none."""
    store, lines = observation.store, []
    if store is not None and store.canary is not None:
        from console.views.canary.told import canary_lines

        first, *further = canary_lines(observation)
        lines += ["", f"canary     {first}", *(f"           {line}" for line in further)]
    if (store is not None and store.shadows) or observation.divergences is not None:
        from console.views.shadow.rates import shadow_lines

        lines += ["", *(f"shadow     {line}" for line in shadow_lines(observation))]
    if store is not None and store.experiments:
        from console.views.experiments import experiment_rows

        rows = experiment_rows(observation)
        lines += ["", *(f"experiment {row.glyph} {row.key}   {row.state}   {row.verdict}" for row in rows)]
    return lines


def _table(title: str, rows: Mapping[str, str]) -> list[str]:
    if not rows:
        return [f"{title}   none"]
    longest = min(32, max(len(name) for name in rows))
    return [title, *(f"    {name[:32]:<{longest}}  {value}" for name, value in rows.items())]
