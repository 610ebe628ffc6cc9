"""A canary's capital moved by several operators while anything is killed at any line."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from console.domain.fence.chain import verify_chain
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.records.canary import read
from console.store.server.connect import connect_sync
from tests import ROOT
from tests.faults.canary_process import SHARES
from tests.servers import Server


class _Player:
    def __init__(self, kind: str, url: str, file: Path) -> None:
        self.kind, self.url, self.file, self.kills = kind, url, file, 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, seed: int) -> None:
        arguments = [
            sys.executable,
            "-m",
            "tests.faults.canary_process",
            self.kind,
            self.url,
            str(self.file),
            str(seed),
        ]
        self.process = subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.DEVNULL)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.kills += 1


def run(folder: Path, *, seconds: float, seed: int = 1, program: Path | None = None) -> dict[str, Any]:
    """Run that long; what was counted, and `violations`."""
    dice = random.Random(seed)
    server = Server(folder, {}, program).start()
    keys = Keys.of()
    with connect_sync(server.url, timeout_s=10.0, name="begin") as client:
        Fence(client, keys).switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    played, moved = folder / "played", folder / "moved"
    players = [_Player("desk", server.url, played), *(_Player("operator", server.url, moved) for _ in range(2))]
    server_kills = 0
    try:
        for player in players:
            player.start(dice.randrange(1 << 30))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.3 + dice.random() * 0.9)
            if dice.random() < 0.2:
                server.restart()
                server_kills += 1
            else:
                player = dice.choice(players)
                player.kill()
                player.start(dice.randrange(1 << 30))
        for player in players[1:]:
            player.kill()
        time.sleep(2.0)  # the desk follows what is recorded now, and nobody moves it
        players[0].kill()
        with connect_sync(server.url, timeout_s=10.0, name="end") as client:
            findings = _check(client, keys, played, moved)
        kills = sum(player.kills for player in players)
        return {"seconds": int(seconds), "kills": kills, "server_kills": server_kills, **findings}
    finally:
        for player in players:
            player.kill()
        server.kill()


def _check(client: Any, keys: Keys, played: Path, moved: Path) -> dict[str, Any]:
    violations: list[str] = []
    entries = client.xrange(keys.log)
    events = [
        {name.decode(): value.decode() for name, value in fields.items()}
        for _id, fields in entries
        if fields[b"k"] == b"canary"
    ]
    if not verify_chain(entries).ok:
        violations.append("the chain of control events does not verify")
    share_of: dict[int, str] = {}
    step, revision = 0, 0
    for event in events:
        now, at, act = int(event["rev"]), int(event["step"]), event["did"]
        if act in ("pause", "resume", "finish"):
            if (now, at) != (revision, step):
                violations.append(f"{act} moved capital: {event}")
            continue
        if now != revision + 1:
            violations.append(f"revision {revision} is followed by {now}")
        if act == "step" and at != step + 1:
            violations.append(f"a step from {step} to {at}")
        if event["share"] != SHARES[at]:
            violations.append(f"step {at} with a share of {event['share']}")
        step, revision, share_of[now] = at, now, event["share"]
    told = {(event["did"], int(event["rev"]), int(event["step"])) for event in events}
    for line in _lines(moved):
        if (line["act"], line["rev"], line["step"]) not in told:
            violations.append(f"an acknowledged move is lost: {line}")
    rounds, money = 0, dict[int, Decimal]()
    for line in _lines(played):
        rounds += 1
        money[line["rev"]] = money.get(line["rev"], Decimal(0)) + Decimal(line["canary"])
        if Decimal(share_of.get(line["rev"], "0")) == 0:
            violations.append(f"a stake without capital: {line}")
    stored = read(client, keys)
    assert stored.reading is not None
    run_now, desk = stored.reading.run, stored.reading.desk
    if desk is None or (desk.position, desk.share) != (run_now.position, run_now.share):
        violations.append(f"in force {desk and desk.share}, recorded {run_now.share}")
    if len(stored.open_rounds) > 1:  # the one that the desk was playing when it was killed for the last time
        violations.append(f"{len(stored.open_rounds)} rounds were never ended")
    if stored.ledger and run_now.share:
        ledger = json.loads(stored.ledger)
        ppm, total, canary, largest, _sizes = ledger["ledger"]
        if abs(ppm * total - 1_000_000 * canary) > 2_500_000 * largest:
            violations.append(f"the canary was given {canary} of {total}, not {ppm} ppm of it")
        if money.get(ledger["revision"], Decimal(0)) * 1_000_000 > canary:
            violations.append("more was played than was booked")
    return {
        "moves": len(events),
        "steps": sum(event["did"] == "step" for event in events),
        "canary_rounds": rounds,
        "revisions_played": len(money),
        "violations": violations,
    }


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
