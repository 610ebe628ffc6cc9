"""Every part on every kind of server that this machine can run: `python -m tests.matrix [KIND …] [--record]`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from typing import Any, Final

from tests import ROOT
from tests.matrix.kinds import Kind, kinds
from tests.matrix.parts import PARTS, Codes, machine_on, verbs

RECORDED: Final = ROOT / "tests/figures/servers.json"


def one(kind: Kind, ours: Codes) -> dict[str, Any]:
    """What each part did on a kind of server: its verbs that end as on ours, of how many; seconds of the others.

    Args:
        kind: of server.
        ours: what each call ends with on the first kind.
    """
    row: dict[str, Any] = {}
    for name, part in PARTS.items():
        began = time.monotonic()
        try:
            with machine_on(kind) as machine:
                row["runs"] = machine.stage.runs
                told = part(machine)
            if name == "verbs":
                other = sorted(words for words, code in told.items() if ours.get(words) != code)
                row |= {"verbs": len(told) - len(other), "of": len(told), "otherwise": other}
            else:
                row[name] = round(time.monotonic() - began, 1)
        except Exception as error:
            row[name] = None
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
    return row


def main() -> int:
    """Print the table; 1 where something works otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    there = kinds()
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"Of {', '.join(there)}; all.")
    parser.add_argument("--record", action="store_true", help=f"write to {RECORDED.relative_to(ROOT)}")
    args = parser.parse_args()
    rows: dict[str, Any] = {}
    with machine_on(next(iter(there.values()))) as machine:
        ours = verbs(machine)
    for name in args.kinds or there:
        rows[name] = one(there[name], ours)
        print(name, rows[name], flush=True)
    if args.record:
        RECORDED.write_text(
            json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), "rows": rows}, indent=1) + "\n"
        )
    return int(any(row.get("otherwise") or None in row.values() for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
