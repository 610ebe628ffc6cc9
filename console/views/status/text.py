"""What `agent-console status` prints for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from textwrap import wrap
from typing import Final

from console.domain.fence.deployment import Slot
from console.domain.seen.observation import Observation
from console.views.cover import logs_since, since_text
from console.views.fence.link import header_view
from console.views.fence.slots import slot_view
from console.views.format import count_text, plural
from console.views.health import health_view
from console.views.lists import action_rows, flag_rows

_UNIT: Final = re.compile(r"(?<=[0-9]) (?=(?:[A-Z]{2,6}|ms|min|[smhd%])(?![A-Za-z]))")
_HANGING: Final = " " * 12


def status_text(observation: Observation, width: int | None = None) -> list[str]:
    """The state of a deployment: aligned, without colour; nothing of it is ever cut.

    Args:
        observation: what was seen.
        width: of the terminal: longer lines go on below, broken between words and never between an amount and its
            currency; None where no terminal reads it (a pipe, a file): every line is whole.
    """
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
            f"    {pnl.label} {pnl.amount:>12} {pnl.currency:<5} total {pnl.total:>12}"
            f"{' ' if pnl.total_since else ''}{pnl.total_since}   {plural(pnl.rounds, 'round')}"
            f"{'   since the switch ' if pnl.since_switch else ''}{pnl.since_switch}"
            for pnl in view.pnl
        ]
    lines += ["", *_table("flags", {row.name: f"{row.glyph} {row.value}" for row in flag_rows(observation)})]
    checks = health_view(observation)
    lines += [""]
    for check in checks:
        lines.append(f"{check.glyph} {check.name:<9} {check.text}")
        if check.hint and check.tone.value in ("warn", "bad"):
            lines.append(f"{_HANGING}{check.hint}")
    lines += _proof_lines(observation)
    actions = action_rows(observation)[-5:]
    if actions:
        lines += ["", "last actions"]
        lines += [f"    {row.time}  {row.command:<12} {row.change}  {row.elapsed}  {row.who}" for row in actions]
    if observation.logs is not None:
        rejected = sum(observation.logs.rejected.values())
        since = since_text(logs_since(observation.logs), observation.now)
        counts = f"{count_text(observation.logs.total)} read, {count_text(rejected)} refused"
        lines += ["", f"decisions  {counts}{', ' if since else ''}{since}"]
    if width is None:
        return [line.rstrip() for line in lines]
    return [part for line in lines for part in _wrapped(line.rstrip(), max(40, width))]


def _wrapped(line: str, width: int) -> list[str]:
    """The line in parts of at most `width` characters, as far as its words allow it."""
    if len(line) <= width:
        return [line]
    parts = wrap(
        _UNIT.sub("\u00a0", line), width, subsequent_indent=_HANGING, break_long_words=False, break_on_hyphens=False
    )
    return [part.replace("\u00a0", " ").rstrip() for part in parts]


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
    return [title, *(f"    {name:<{longest}}  {value}" for name, value in rows.items())]
