"""`evidence`: what is known of a time in one file, verified, and replayed without a store."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import zipfile
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from console.domain.errors import ConsoleError
from console.evidence.check import check
from console.evidence.seal import UNSEALED, set_seal
from console.logs.options import LogOptions
from console.recording.opening import timeline_of
from console.recording.ring import Ring
from tests.cli.conftest import Cli, Result
from tests.scenarios import boards, observation


def line(at: datetime, number: int, **other: Any) -> str:
    return json.dumps(
        {
            "timestamp": at.timestamp(),
            "agent_version": "2.5.0",
            "slot": "green" if number % 2 else "blue",
            "decision_type": "bet",
            "inputs": {"number": number},
            "output": {"action": "BET", "pnl": "1.10", "currency": "USD"},
            "reasoning": "below target",
            **other,
        }
    )


def clock(at: datetime) -> str:
    return at.isoformat()


@pytest.fixture
def start() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=20)


@pytest.fixture
def log(home: Path, start: datetime) -> Path:
    """600 rounds of the last 20 minutes, two seconds apart."""
    path = home / "decisions.jsonl"
    path.write_text("".join(line(start + timedelta(seconds=2 * n), n) + "\n" for n in range(600)))
    return path


def take(cli: Cli, log: Path, path: Path, *words: str) -> Result:
    span = words or ("--from", "10m")
    return cli("--decisions", str(log), "evidence", *span, "-o", str(path), "--no-pictures", "--json")


@pytest.fixture
def taken(cli: Cli, log: Path, home: Path) -> Path:
    """Evidence of the last ten minutes, with a switch and a flag in it."""
    assert cli("flag", "set", "crash_target", "2.0", "--new").code == 0
    assert cli("switch", "green", "--yes").code == 0
    assert cli("flag", "set", "crash_target", "2.5").code == 0
    path = home / "one.zip"
    result = take(cli, log, path)
    assert result.code == 0, result
    assert result.json["digest"] == sha256(members(path)["SHA256SUMS"]).hexdigest()
    return path


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written_anew(path: Path, content: dict[str, bytes], *, sums: bool = True) -> None:
    """What somebody would write who knows how."""
    content = dict(content)
    if sums:
        content.pop("SHA256SUMS", None)
        lines = (f"{sha256(data).hexdigest()}  {name}\n" for name, data in sorted(content.items()))
        content["SHA256SUMS"] = "".join(lines).encode()
    with path.open("w+b") as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.comment = UNSEALED
            for name, data in content.items():
                archive.writestr(name, data)
        set_seal(file)


def test_it_opens_without_a_store_and_shows_what_was_then(taken: Path, log: Path) -> None:
    log.unlink()
    opened = timeline_of([taken], LogOptions())
    first, last = opened.timeline.bounds()
    assert timedelta(minutes=9) < last - first < timedelta(minutes=11)
    then = opened.timeline.at(last)
    assert then.store is not None
    assert then.store.deployment.active.slot == "green"
    assert then.store.flags["crash_target"].text == "2.5"
    before = opened.timeline.at(first).store
    assert before is not None and before.deployment.active.slot is None
    assert then.logs is not None and str(then.logs.recent[-1].reasoning) == "below target"
    assert {mark.kind.value for mark in opened.timeline.marks()} >= {"switch", "flag"}
    assert any("are not in an evidence file" in told for told in opened.missing)


def test_any_byte_that_was_changed_is_noticed(taken: Path, home: Path) -> None:
    assert check(taken).problems == ()
    data = taken.read_bytes()
    other = home / "other.zip"
    places = {*range(0, len(data), max(1, len(data) // 120)), *range(len(data) - len(UNSEALED) - 22, len(data), 7)}
    for place in sorted(places | {len(data) - 1}):
        other.write_bytes(data[:place] + bytes([data[place] ^ 0x20]) + data[place + 1 :])
        assert check(other).problems, f"byte {place} of {len(data)}"
    for end in (0, 10, len(data) // 2, len(data) - 1):
        other.write_bytes(data[:end])
        assert check(other).problems, f"cut at {end}"
    other.write_bytes(data + b"\0")
    assert check(other).problems


def test_who_makes_it_anew_is_found_by_the_digest_that_was_printed(cli: Cli, taken: Path, home: Path) -> None:
    digest = sha256(members(taken)["SHA256SUMS"]).hexdigest()
    assert cli("evidence", "verify", str(taken), "--digest", digest, url=None).code == 0
    content = members(taken)
    name = next(name for name in content if name.endswith(".jsonl") and name.startswith("decisions/"))
    forged = home / "forged.zip"
    written_anew(forged, {**content, name: content[name].replace(b'"1.10"', b'"9.10"')})
    assert cli("evidence", "verify", str(forged), url=None).code == 0
    assert cli("evidence", "verify", str(forged), "--digest", digest, url=None).code == 1


def test_a_chain_that_was_broken_is_told_though_every_hash_fits(cli: Cli, taken: Path, home: Path) -> None:
    content = members(taken)
    forged = home / "forged.zip"
    written_anew(forged, {**content, "store/audit.jsonl": content["store/audit.jsonl"].replace(b"2.5", b"2.6")})
    result = cli("evidence", "verify", str(forged), "--json", url=None)
    assert result.code == 1 and result.json["sound"]
    assert [chain["chain"] for chain in result.json["chains"] if not chain["whole"]] == ["audit"]


def test_lines_are_as_in_the_log_and_their_places_say_where(cli: Cli, log: Path, home: Path, start: datetime) -> None:
    rows = log.read_text().splitlines()
    rows[300:300] = ["no decision", line(start, 9_999)]  # one of another time stands between
    log.write_text("\n".join(rows) + "\n")
    since, until = start + timedelta(seconds=500), start + timedelta(seconds=700)
    path = home / "one.zip"
    result = take(cli, log, path, "--from", clock(since), "--to", clock(until))
    assert (result.code, result.json["decisions"]) == (0, 101)
    content = members(path)
    lines = content["decisions/0001-decisions.jsonl"].splitlines(keepends=True)
    raw = log.read_bytes()
    assert lines == raw.splitlines(keepends=True)[250:301] + raw.splitlines(keepends=True)[302:352]
    places = [tuple(map(int, one.split())) for one in content["decisions/0001-decisions.places"].splitlines()]
    assert b"".join(raw[start : start + size] for start, size, _ in places) == b"".join(lines)
    assert [count for _, _, count in places] == [51, 50]


def test_its_money_is_that_of_decisions_sum(cli: Cli, log: Path, taken: Path) -> None:
    manifest = json.loads(members(taken)["manifest.json"])
    span = ("--since", manifest["since"], "--until", manifest["until"])
    summed = cli("--decisions", str(log), "decisions", "sum", *span, "--json", url=None).json
    told = {(row["slot"], row["version"], row["currency"], row["pnl"], row["rounds"]) for row in manifest["earned"]}
    assert told == {(row["slot"], row["version"], row["currency"], row["pnl"], row["rounds"]) for row in summed}
    assert len(told) == 2


def test_what_could_not_be_read_is_named_and_ends_in_exit_code_1(cli: Cli, log: Path, home: Path) -> None:
    folder = home / "logs"
    folder.mkdir()
    (folder / "good.jsonl").write_bytes(log.read_bytes())
    (folder / "packed.jsonl").write_bytes(b"\x00\x01\x02" * 400)
    os.mkfifo(folder / "pipe.jsonl")
    path = home / "one.zip"
    result = take(cli, folder / "*.jsonl", path)
    assert result.code == 1 and result.json["partial"]
    report = members(path)["report.md"].decode()
    for name in ("packed.jsonl", "pipe.jsonl"):
        assert any(name in one for one in result.json["left"]), result.json["left"]
        assert name in report
    assert check(path).problems == ()


def test_nothing_is_written_over_and_nothing_half_is_left(cli: Cli, log: Path, taken: Path, home: Path) -> None:
    assert stat.S_IMODE(taken.stat().st_mode) == 0o600
    before = taken.read_bytes()
    assert take(cli, log, taken).code == 4
    assert taken.read_bytes() == before
    assert take(cli, log, home / "nowhere" / "one.zip").code != 0
    for words in (("--from", "5m", "--to", "10m"), ("--from", "soon")):
        assert take(cli, log, home / "two.zip", *words).code == 2
    assert cli("evidence").code == 2
    assert [one.name for one in home.iterdir() if ".tmp" in one.name or one.name == "two.zip"] == []


def test_hostile_names_harm_neither_a_folder_nor_a_reader(cli: Cli, log: Path, home: Path) -> None:
    hostile = home / "..|[x](http:\x1b[2J\u202e`#<img>.jsonl"
    hostile.write_text(line(datetime.now(UTC) - timedelta(minutes=1), 1, agent_version="](http://e.com)|<b>") + "\n")
    assert cli("flag", "set", "odd", "a|b # <script>![i](http://e.com/)", "--new").code == 0
    path = home / "one.zip"
    result = take(cli, Path(str(home / "..*")), path)
    assert result.code == 0, result
    content = members(path)
    assert all(name.isascii() and ".." not in name and "\n" not in name for name in content)
    report = content["report.md"].decode()
    assert "\x1b" not in report and "\u202e" not in report
    assert not re.findall(r"(?<!\\)[\[\]<>`]", report)
    assert "://e" not in report
    assert timeline_of([path], LogOptions()).timeline.marks()


@pytest.mark.parametrize("name", ["../up.jsonl", "/etc/up.jsonl", "decisions/../../up.jsonl", "decisions/.up.jsonl"])
def test_a_file_that_was_made_to_write_elsewhere_writes_nothing(taken: Path, home: Path, name: str) -> None:
    content = members(taken)
    manifest = json.loads(content["manifest.json"])
    manifest["logs"] = [{"path": "../../x", "member": name, "lines": 1, "bytes": 1}]
    forged = home / "forged.zip"
    written_anew(forged, {**content, "manifest.json": json.dumps(manifest).encode(), name: b"x\n"})
    assert any("no name for a member" in problem for problem in check(forged).problems)
    with pytest.raises(ConsoleError):
        timeline_of([forged], LogOptions())
    assert not list(home.rglob("up.jsonl"))


def test_damaged_and_senseless_files_are_refused_in_words(taken: Path, home: Path) -> None:
    content = members(taken)
    other = home / "other.zip"
    odd: list[dict[str, bytes]] = [
        {},
        {**content, "manifest.json": b"[" * 100_000},
        {**content, "manifest.json": b'{"form": 2}'},
        {**content, "manifest.json": b'{"form": 1, "since": 5}'},
        {**content, "store/audit.jsonl": b'{"id": 5, "fields": 7}\n'},
        {**content, "store/acts.jsonl": b'{"id": "1-1", "fields": "x"}\n'},
        {**content, "store/control.jsonl": b"\xff\xfe\n"},
        {**content, "flags.json": b"7"},
        {name: data for name, data in content.items() if name != "store/alerts.json"},
    ]
    for one in odd:
        written_anew(other, one)
        with pytest.raises(ConsoleError):
            timeline_of([other], LogOptions())
        check(other)
    out = io.BytesIO(taken.read_bytes())
    other.write_bytes(out.getvalue()[: len(out.getvalue()) // 2])
    with pytest.raises(ConsoleError):
        timeline_of([other], LogOptions())


def test_passwords_and_keys_are_hidden(cli: Cli, log: Path, home: Path, valkey_sync: Any) -> None:
    valkey_sync.hset("ac:{agent:active_version}:manifests", "=2.5.0", 'api_key="sk-live-0123456789abcdef0123"')
    path = home / "one.zip"
    assert take(cli, log, path).code == 0
    assert b"0123456789abcdef0123" not in b"".join(members(path).values())


def test_entries_that_were_archived_are_named(cli: Cli, log: Path, home: Path) -> None:
    assert cli("switch", "green", "--yes").code == 0
    assert cli("switch", "blue", "--yes").code == 0
    assert cli("archive", "run", "--keep", "1").code == 0
    result = take(cli, log, home / "one.zip")
    assert result.code == 1
    assert any("were archived" in told for told in result.json["left"])


def test_the_screens_of_its_end_are_in_it_as_pictures(cli: Cli, log: Path, home: Path) -> None:
    from console.screens.frame.names import SCREENS

    path, kept = home / "one.zip", Ring(home / "a.rec")
    for at in (datetime.now(UTC), datetime.now(UTC) + timedelta(hours=1)):
        kept.add(observation("fenced")._replace(now=at), boards.seen("draining-version"))
    kept.close()
    words = ("--from", "10m", "-o", str(path), "--recording", str(kept.path))
    assert cli("--decisions", str(log), "evidence", *words).code == 0
    drawn = {name.split("/")[-1]: data for name, data in members(path).items() if name.startswith("screens/")}
    assert set(drawn) == {f"{screen.name}.{kind}" for screen in SCREENS for kind in ("txt", "svg")}
    assert "below target" in drawn["decisions.txt"].decode()
    assert "wd_0098" in drawn["state.txt"].decode(), "what no store keeps comes from a recording"
    assert all(b"http" not in data.replace(b"http://www.w3.org/2000/svg", b"") for data in drawn.values())


def test_a_store_that_was_damaged_is_evidence_too(cli: Cli, log: Path, home: Path, valkey_sync: Any) -> None:
    assert cli("switch", "green", "--yes").code == 0
    tag = "ac:{agent:active_version}:"
    valkey_sync.xadd(f"{tag}acts", {"d": "no action", "h": "0" * 40})
    valkey_sync.xadd(f"{tag}log", {b"\xff": b"\xfe\x1b[2J"})
    valkey_sync.delete(f"{tag}audit")
    valkey_sync.set(f"{tag}audit", "text")
    valkey_sync.set(f"{tag}canary", b"\xff\x00")
    path = home / "one.zip"
    result = take(cli, log, path)
    assert result.code == 1 and not result.json["whole"]
    told = " ".join(result.json["left"])
    assert "store/audit.jsonl" in told and "store/acts.jsonl: 1 entries" in told
    found = check(path)
    assert found.problems == () and not all(chain.whole for chain in found.chains)
    assert timeline_of([path], LogOptions()).timeline.bounds()
