"""The documents' tables: keys, verbs and scripts from the declarations, figures from the runs in `tests/figures`.

`python -m tests.generate.tables` writes them in. A figure gets into a document in no other way: copy the JSON that
`make faults` or `make bench` wrote to `tests/figures` (`make simulate ARGS=--record` does that itself), and run this.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

import click

from console.cli.config import descriptions
from console.cli.main import cli
from console.commands.catalogue import commands
from console.config import GateFileSettings, VolatilitySettings
from console.domain.gates.gate import RAISES
from console.domain.gates.items import ITEMS
from console.screens.frame.keys import global_bindings, key_text, widget_bindings
from console.store.scripts import NAMES
from tests import ROOT
from tests.faults.__main__ import RUNS
from tests.generate.json_shapes import shapes_section
from tests.generate.metrics import labels_table, metrics_table
from tests.simulate.report import section

FIGURES: Final = ROOT / "tests" / "figures"
SCRIPTS: Final = ROOT / "console" / "store" / "lua"


def keys_table() -> str:
    """Every key of the console: key, what it does, its id in the configuration."""
    rows = ["| key | does | id |", "|---|---|---|"]
    lists = {binding.id: binding for bindings in widget_bindings().values() for binding in bindings}
    for binding in (*global_bindings([command.info for command in commands()]), *lists.values()):
        keys = " ".join(f"`{key_text(key)}`" for key in binding.key.split(","))
        rows.append(f"| {keys} | {binding.tooltip} | `{binding.id}` |")
    return "\n".join(rows)


def verbs_table() -> str:
    """Every verb: how it is called, what it does."""
    rows = ["| verb | does |", "|---|---|"]
    for name, command in leaves(cli, ""):
        arguments = "".join(
            f" {parameter.make_metavar(click.Context(command))}"
            for parameter in command.params
            if isinstance(parameter, click.Argument)
        )
        usage = f"{name}{arguments}".replace("|", "\\|")
        rows.append(f"| `{usage}` | {command.get_short_help_str(200)} |")
    return "\n".join(rows)


def leaves(group: click.Group, prefix: str) -> list[tuple[str, click.Command]]:
    """Every verb of a group, by its whole name."""
    verbs: list[tuple[str, click.Command]] = []
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        full = f"{prefix}{name}"
        if not isinstance(command, click.Group) or command.invoke_without_command:
            verbs.append((full, command))
        if isinstance(command, click.Group):
            verbs += leaves(command, f"{full} ")
    return verbs


def faults_table() -> str:
    """The last run of the long fault suite."""
    rows = ["| run | what | counted | violations |", "|---|---|---|---|"]
    for name, run in json.loads((FIGURES / "faults.json").read_text()).items():
        what = " ".join((RUNS[name][1].__doc__ or "").split())
        counted = ", ".join(
            f"{key.replace('_', ' ')} {_number(value)}"
            for key, value in run.items()
            if isinstance(value, int | float | str) and not isinstance(value, bool) and key != "took_s"
        )
        violations = len(run.get("violations", ()))
        expected = run.get("violations_expected")
        shown = f"{violations}" if expected is None else f"{len(expected)}, expected without the check"
        rows.append(f"| {name} | {what} | {counted} | {shown} |")
    return "\n".join(rows)


def servers_table() -> str:
    """The last run of `python -m tests.matrix`."""
    rows = [
        "| kind | what ran | verbs as on ours | agents hand over | guard takes over | console halts by a key |",
        "|---|---|---|---|---|---|",
    ]
    for kind, row in json.loads((FIGURES / "servers.json").read_text())["rows"].items():
        took = [f"{row[part]:g} s" if row[part] is not None else "no" for part in ("agents", "guard", "console")]
        verbs = f"{row['verbs']} of {row['of']}" if row["verbs"] is not None else "no"
        rows.append(f"| {' | '.join([kind, row['runs'], verbs, *took])} |")
    return "\n".join(rows)


_ALIKE = re.compile(r"A/A, (.+): rolled back")
_WORSE = re.compile(r"(.+) sd worse, (.+): rolled back after")


def guard_table() -> str:
    """How often the guard's `pnl` was wrong and how soon right, in the last run of the benchmarks."""
    lines = {line["name"]: line for line in json.loads((FIGURES / "bench.json").read_text())["lines"]}
    alike = {match[1]: lines[name] for name in lines if (match := _ALIKE.fullmatch(name))}
    effects = list(dict.fromkeys(match[1] for name in lines if (match := _WORSE.fullmatch(name))))
    rows = [
        "| payoff | rolled back in A/A | 3σ alone would fire | " + " | ".join(f"{e} sd worse" for e in effects) + " |",
        "|---" * (3 + len(effects)) + "|",
    ]
    for payoff, line in alike.items():
        cells = [payoff, f"{line['ours']:.1f} %", line["note"].rsplit(" in ", 1)[-1]]
        for effect in effects:
            harm = lines[f"{effect} sd worse, {payoff}: rolled back after"]
            share = re.search(r"found in (\S+ %)", harm["note"])
            assert share, harm
            cells.append(share[1] + (f", {harm['ours']:,.0f} rounds" if harm["ours"] is not None else ""))
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def bench_table() -> str:
    """The last run of the benchmarks, but for what stands in the guard's table."""
    document = json.loads((FIGURES / "bench.json").read_text())
    rows = [
        f"Measured {document['at'][:10]} on {document['machine']}, Python {document['python']}.",
        "",
        "| what | ours | floor or peer | ratio | budget | holds |",
        "|---|---|---|---|---|---|",
    ]
    for line in document["lines"]:
        if _ALIKE.fullmatch(line["name"]) or _WORSE.fullmatch(line["name"]):
            continue
        ours = (
            f"{_number(line['ours'])} {line['unit']}" if line["ours"] is not None else f"not measured: {line['note']}"
        )
        floor = f"{_number(line['floor'])}, {line['floor_name']}" if line["floor"] is not None else ""
        ratio = f"{line['ratio']:.2f}" if line["ratio"] is not None else ""
        holds = {True: "yes", False: "**no**", None: ""}[line["holds"]]
        cells = (line["name"], ours, floor, ratio, line["budget"], holds)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def simulate_section() -> str:
    """The last run of the simulations."""
    return section(json.loads((FIGURES / "simulate.json").read_text()))


def _number(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def scripts_section() -> str:
    """Every script of the protocol with its KEYS, ARGV and replies, as its own head says."""
    parts = []
    for name in NAMES:
        head: list[str] = []
        for line in (SCRIPTS / f"{name}.lua").read_text("utf-8").splitlines():
            if not line.startswith("--"):
                break
            head.append(line.removeprefix("--").removeprefix(" "))
        parts.append(f"### {name}\n\n```text\n" + "\n".join(head) + "\n```")
    return "\n\n".join(parts)


def gates_table() -> str:
    """Every item of the checklist, and what it forbids without any configuration."""
    rows = ["| phase | item | demands | forbids by default |", "|---|---|---|---|"]
    for item in ITEMS:
        who = "; ticked by a person" if item.manual else ""
        forbids = (
            "every raise" if item.acts >= RAISES else ", ".join(sorted(act.value for act in item.acts)) or "nothing"
        )
        rows.append(f"| {item.phase.value} | `{item.id}` | {item.title}{who} | {forbids} |")
    return "\n".join(rows)


def gate_settings_table() -> str:
    """The settings of gates and of volatility, with their defaults."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for table, kind in (("gates", GateFileSettings), ("volatility", VolatilitySettings)):
        defaults = kind()
        for name, text in descriptions(kind).items():
            value = getattr(defaults, name)
            shown = "" if value in ((), {}, "", None) else str(value).lower() if isinstance(value, bool) else str(value)
            rows.append(f"| `{table}.{name}` | {shown} | {text} |")
    return "\n".join(rows)


WRITTEN: Final[dict[str, dict[str, Callable[[], str]]]] = {
    "docs/operators.md": {"keys": keys_table, "verbs": verbs_table},
    "docs/gates.md": {"items": gates_table, "settings": gate_settings_table},
    "docs/protocol.md": {"scripts": scripts_section},
    "docs/json.md": {"shapes": shapes_section},
    "docs/servers.md": {"servers": servers_table},
    "docs/metrics.md": {"metrics": metrics_table, "labels": labels_table},
    "docs/figures.md": {
        "faults": faults_table,
        "guard": guard_table,
        "simulate": simulate_section,
        "bench": bench_table,
    },
}
"""Document → the sections of it that are written here."""


def rewritten(document: str) -> str:
    """A document with its written sections as they should be."""
    text = (ROOT / document).read_text("utf-8")
    for name, make in WRITTEN[document].items():
        pattern = rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)"
        text, count = re.subn(pattern, lambda m, make=make: f"{m[1]}{make()}\n{m[2]}", text, flags=re.DOTALL)
        assert count == 1, f"{document} has no section {name}"
    return text


if __name__ == "__main__":
    for document in WRITTEN:
        (ROOT / document).write_text(rewritten(document), "utf-8")
