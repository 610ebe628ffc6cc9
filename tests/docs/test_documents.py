"""The documents say what is: their agents run, their tables are what the code gives, their paths and names exist."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import redis

from console.cli.main import run
from console.domain.fence.claims import OpenClaim
from console.domain.state.kept import KeptState
from console.domain.state.pieces import joined
from console.store.fence.blocking import Fence
from console.store.keys import Keys, StateKeys
from console.store.records.states import read_list, unpacked
from tests import ROOT
from tests.generate.tables import WRITTEN, rewritten
from tests.waiting import until

HOME = "https://raw.githubusercontent.com/agent-console/agent-console/main/"
README = ROOT / "README.md"
DOCUMENTS = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(document: str, language: str) -> list[str]:
    """The fenced blocks of a document that are in a language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / document).read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("document", WRITTEN)
def test_the_tables_of_a_document_are_those_of_declarations_and_recorded_runs(document: str) -> None:
    assert (ROOT / document).read_text("utf-8") == rewritten(document), "run `make docs`"


def test_the_readme_is_read_in_one_sitting() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= 125


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_something_in_the_repository(document: Path) -> None:
    text = document.read_text("utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(HOME):
            assert (ROOT / link.removeprefix(HOME)).is_file(), link
        elif not link.startswith(("https://", "#")):
            path, _, anchor = link.partition("#")
            target = (document.parent / path).resolve()
            assert target.exists(), f"{document.name}: {link}"
            if anchor:
                titles = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
                assert anchor in {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in titles}, link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_and_every_name_of_ours_in_a_document_exists(document: Path) -> None:
    text = document.read_text("utf-8")
    for path in re.findall(r"`((?:console|widgets|themes|tests|docs)/[\w/.\-]+)`", text):
        assert (ROOT / path).exists(), f"{document.name}: {path}"
    for name in re.findall(r"`((?:console|widgets|themes|tests)(?:\.\w+)+)(?:\(\))?`", text):
        if not name.endswith(".py"):
            _resolve(name)


def _resolve(name: str) -> None:
    """Import as much of a dotted name as is a module, and look the rest up in it."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        if importlib.util.find_spec(".".join(parts[:1])) and _is_module(parts[:length]):
            thing: object = importlib.import_module(".".join(parts[:length]))
            for part in parts[length:]:
                thing = getattr(thing, part)
            return
    raise AssertionError(name)


def _is_module(parts: list[str]) -> bool:
    path = ROOT.joinpath(*parts)
    return path.is_dir() or path.with_suffix(".py").is_file()


def agents() -> tuple[str, str]:
    """The plain agent of the README, and the same one fenced."""
    (plain,) = (block for block in blocks("README.md", "python") if "log.write" in block)
    (fenced,) = (block for block in blocks("docs/agents.md", "python") if "log.write" in block)
    return plain, fenced


def test_the_plain_agent_in_the_readme_runs_and_obeys(valkey_sync: redis.Redis, store_url: str, tmp_path: Path) -> None:
    code, _ = agents()
    assert len([line for line in code.splitlines() if line.strip()]) <= 30
    (tmp_path / "agent.py").write_text(code.replace("time.sleep(1)", "time.sleep(0.01)"))
    log = tmp_path / "decisions.jsonl"
    valkey_sync.set("agent:active_version", "blue")
    running = [
        subprocess.Popen([sys.executable, str(tmp_path / "agent.py"), slot, store_url, str(log)])
        for slot in ("blue", "green")
    ]
    try:
        wait_for_bets(log, "blue", 3)
        valkey_sync.set("agent:active_version", "green")
        wait_for_bets(log, "green", 3)
    finally:
        for agent in running:
            agent.kill()
            agent.wait()


def test_fencing_the_plain_agent_takes_under_fifteen_changed_lines() -> None:
    plain, fenced = (text.splitlines() for text in agents())
    changed = {line[2:] for line in difflib.ndiff(plain, fenced) if line.startswith("+ ") and line[2:].strip()}
    (request,) = re.findall(r"^ +answer = venue\.post\(\n.*\n +\)\n.*", "\n".join(fenced), re.MULTILINE)
    calls = {
        *request.splitlines(),
        *(line for line in fenced if re.search(r"venue_url|venue\.get|import httpx|bet =", line)),
    }
    assert len(changed - calls) < 15, "any agent of that venue has the lines that call it, fenced or not"


@pytest.fixture
def venue() -> Iterator[Venue]:
    """The venue of the documents' fenced agent."""
    with Venue() as venue:
        yield venue


class Venue(ThreadingHTTPServer):
    """Rounds of 50 ms, and a bet for each key that it is sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.bets: list[tuple[str, dict[str, Any]]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Venue:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._send({"round": int(time.monotonic() / 0.05)})

    def do_POST(self) -> None:
        assert isinstance(self.server, Venue)
        bet = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.bets.append((self.headers["Idempotency-Key"], bet))
        self._send({"action": "BET", "id": len(self.server.bets), "pnl": 0.25, "currency": bet["currency"]})

    def _send(self, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_the_fenced_agent_in_the_documents_crashes_between_claim_and_settle_and_its_doubt_is_resolved(
    valkey_sync: redis.Redis, store_url: str, tmp_path: Path, venue: Venue
) -> None:
    _, fenced = agents()
    (tmp_path / "agent.py").write_text(fenced.replace("time.sleep(1)", "time.sleep(0.05)"))
    crashing = fenced.replace("            act.settle(", "            os.kill(os.getpid(), 9)\n            act.settle(")
    (tmp_path / "crash.py").write_text("import os\n" + crashing)
    log = tmp_path / "decisions.jsonl"
    run(["--url", store_url, "switch", "blue", "--yes"])
    given = ["blue", store_url, str(log), venue.url]
    agent = subprocess.Popen([sys.executable, str(tmp_path / "agent.py"), *given])
    try:
        wait_for_bets(log, "blue", 3)
    finally:
        agent.kill()
        agent.wait()
    crash = subprocess.run([sys.executable, str(tmp_path / "crash.py"), *given], check=False)
    assert crash.returncode == -9
    keys = [key for key, _ in venue.bets]
    assert len(keys) == len({*keys}) == len({bet["round"] for _, bet in venue.bets}) >= 4
    assert keys[0].startswith(f"ac-agent-bet-{venue.bets[0][1]['round']}-")
    fence = Fence(valkey_sync, Keys.of())

    def doubts() -> list[OpenClaim]:
        fence.tend()
        return [claim for claim in fence.open_claims() if claim.in_doubt]

    until(doubts)
    for claim in doubts():
        assert (
            run(["--url", store_url, "doubts", "resolve", claim.key, "executed", "--evidence", "venue", "--yes"]) == 0
        )
    assert run(["--url", store_url, "doubts", "list"]) == 0


def handing_over() -> str:
    """The fenced agent with the changes by which it hands its state over."""
    _, fenced = agents()
    (changes,) = (block for block in blocks("docs/agents.md", "diff") if "controller.keep" in block)
    lines, place = fenced.splitlines(), 0
    for change in changes.splitlines():
        kind, text = change[0], change[1:]
        if kind == "+":
            lines.insert(place, text)
            place += 1
        else:
            place = lines.index(text, place) + (kind == " ")
            if kind == "-":
                del lines[place]
    return "\n".join(lines)


def test_handing_its_state_over_takes_the_fenced_agent_under_fifteen_changed_lines() -> None:
    _, fenced = agents()
    marks = [line[0] for line in difflib.ndiff(fenced.splitlines(), handing_over().splitlines())]
    assert 0 < max(marks.count("+"), marks.count("-")) < 15


def test_the_fenced_agent_in_the_documents_hands_its_state_over_with_all_that_was_done(
    valkey_sync: redis.Redis, store_url: str, tmp_path: Path, venue: Venue
) -> None:
    (tmp_path / "agent.py").write_text(handing_over().replace("time.sleep(1)", "time.sleep(0.03)"))
    log = tmp_path / "decisions.jsonl"
    run(["--url", store_url, "switch", "blue", "--yes"])

    def newest() -> KeptState | None:
        listed, _ = read_list(valkey_sync.hgetall(StateKeys.of(Keys.of()).states))
        return listed[0] if listed else None

    running = [
        subprocess.Popen([sys.executable, str(tmp_path / "agent.py"), slot, store_url, str(log), venue.url])
        for slot in ("blue", "green")
    ]
    try:
        wait_for_bets(log, "blue", 5)
        until(lambda: len(valkey_sync.hkeys(Keys.of().instances)) == 2, "both sides to be there")  # type: ignore[arg-type]
        run(["--url", store_url, "switch", "green", "--yes"])
        wait_for_bets(log, "green", 5)
        until(lambda: (kept := newest()) is not None and kept.slot == "green")
    finally:
        for agent in running:
            agent.terminate()
            agent.wait()
    kept = newest()
    assert kept is not None
    raw = valkey_sync.hmget(StateKeys.of(Keys.of()).pieces, kept.pieces.hashes)
    state = joined(kept.pieces, unpacked(kept.pieces.hashes, raw, 10**7), kept.timestamp, "x")
    done = [f"bet-{bet['round']}" for _, bet in venue.bets]
    assert len(done) == len({*done}) >= 10
    known = {*(state.idempotency or ())}
    records = [json.loads(line) for line in log.read_text().splitlines()]
    blues = sum(one["agent_version"] == "blue" and one["output"]["action"] == "BET" for one in records)
    assert blues >= 5 and {*done[:blues]} <= known, "green knows all that blue did"
    assert {*done[blues:]} & known, "and what itself did, but for what was under way at its end"
    assert state.version == "green"


def wait_for_bets(log: Path, version: str, count: int) -> None:
    def bets() -> int:
        lines = log.read_text().splitlines()[:-1] if log.exists() else []
        records = [json.loads(line) for line in lines]
        return sum(record["agent_version"] == version and record["output"]["action"] == "BET" for record in records)

    until(lambda: bets() >= count, f"{count} bets of {version}")


def test_every_command_is_found_under_the_name_it_declares() -> None:
    from console.commands.catalogue import commands, find

    assert commands()
    for command in commands():
        assert find(command.info.name) is command


def test_the_plan_in_the_documents_is_one(tmp_path: Path) -> None:
    from console.documents.canary import read_plan_file

    (plan,) = (block for block in blocks("docs/proving.md", "toml") if block.startswith("# plan.toml"))
    (tmp_path / "plan.toml").write_text(plan)
    found = read_plan_file(tmp_path / "plan.toml")
    assert [str(step.share) for step in found.plan.steps] == ["0", "0.05", "0.20"]
