"""Gates at the command line: what raises risk is refused with its evidence, or overridden loudly; less never is."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import redis

from console.store.keys import GuardKeys, Keys
from tests.cli.conftest import Cli, Result
from tests.cli.test_canary import EXPERIMENT, PLAN
from tests.servers import Server

ACTIVE = "agent:active_version"
KEYS = Keys.of()
GATES = KEYS.beside("gates")
OVER = ("--override", "the venue told us so", "--confirm", "agent")


def server_ms(store: redis.Redis) -> int:
    seconds, micros = store.time()
    return int(seconds) * 1000 + int(micros) // 1000


def beat(store: redis.Redis, slot: str, age_s: float = 0.0, *, ready: bool = True, version: str = "2.5.0") -> None:
    """A fenced process, as its last heartbeat has it."""
    beat = {"slot": slot, "version": version, "epoch": 0, "ms": server_ms(store) - round(age_s * 1000), "ready": ready}
    store.hset(KEYS.instances, f"{slot}-1", json.dumps(beat))


def configure(home: Path, text: str) -> None:
    file = home / "config" / "config.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


def closed(result: Result) -> dict[str, str]:
    """The gates that a refusal names."""
    assert result.code == 4, result
    error = result.json["error"]
    assert error["title"] == "Gates closed"
    return {gate["name"]: gate["evidence"] for gate in error["gates"]}


@pytest.fixture
def blue(cli: Cli, valkey_sync: redis.Redis) -> Iterator[redis.Redis]:
    """Blue is active."""
    valkey_sync.client_setname("agent-console-test")
    assert cli("switch", "blue", "--yes").code == 0
    yield valkey_sync


@pytest.fixture
def dead(blue: redis.Redis) -> redis.Redis:
    """Blue acts and beats; green's processes have been dead for 98 s."""
    beat(blue, "blue", version="2.4.0")
    beat(blue, "green", 98)
    return blue


def test_a_switch_to_a_dead_slot_is_refused_with_the_evidence(cli: Cli, dead: redis.Redis) -> None:
    result = cli("switch", "green", "--yes", "--json")
    assert closed(result) == {"heartbeats": "green is dead: its newest heartbeat is 98 s off, 1 known"}
    assert dead.get(ACTIVE) == b"blue"
    told = cli("switch", "green", "--yes")
    assert "CLOSED" in told.err and "heartbeats" in told.err
    assert "--override" in told.err


@pytest.mark.parametrize("word", ["not ready", "no instance"])
def test_a_slot_that_is_not_ready_or_has_no_process_is_refused(cli: Cli, blue: redis.Redis, word: str) -> None:
    beat(blue, "blue", version="2.4.0")
    if word == "not ready":
        beat(blue, "green", ready=False)
    assert word in closed(cli("switch", "green", "--yes", "--json"))["heartbeats"]


def test_a_switch_to_who_is_active_already_asks_no_gate(cli: Cli, blue: redis.Redis) -> None:
    beat(blue, "blue", 98)
    assert cli("switch", "blue", "--yes").code == 0


@pytest.fixture
def plan(tmp_path: Path) -> str:
    (tmp_path / "plan.toml").write_text(PLAN)
    return str(tmp_path / "plan.toml")


def test_a_version_whose_canary_was_taken_back_is_refused_with_how_long_ago(
    cli: Cli, blue: redis.Redis, plan: str
) -> None:
    beat(blue, "blue", version="2.4.0")
    beat(blue, "green")
    assert cli("canary", "start", plan, "--run", "r1", "--yes", "--reason", "2.5").code == 0
    assert "RUNNING" in closed(cli("switch", "green", "--yes", "--json"))["canary"]
    assert cli("canary", "abort", "--yes").code == 0
    beat(blue, "green")
    assert "canary r1 was taken back" in closed(cli("switch", "green", "--yes", "--json"))["canary"]
    beat(blue, "green", version="2.5.1")
    assert cli("switch", "green", "--yes").code == 0


def test_the_same_version_can_t_have_another_canary_after_one_was_taken_back(
    cli: Cli, blue: redis.Redis, plan: str
) -> None:
    beat(blue, "green")
    assert cli("canary", "start", plan, "--run", "r1", "--yes").code == 0
    assert cli("canary", "abort", "--yes").code == 0
    beat(blue, "green")
    assert "canary" in closed(cli("canary", "start", plan, "--run", "r2", "--yes", "--json"))
    assert cli("canary", "start", plan, "--run", "r2", "--yes", *OVER).code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--override", "", "--confirm", "agent"), "takes a reason"),
        (("--override", "   ", "--confirm", "agent"), "takes a reason"),
        (
            (
                "--override",
                "because",
            ),
            "the agent's name, typed",
        ),
        (("--override", "because", "--confirm", "Agent"), "the agent's name, typed"),
    ],
)
def test_an_override_takes_a_reason_and_the_typed_name(
    cli: Cli, dead: redis.Redis, words: tuple[str, ...], says: str
) -> None:
    result = cli("switch", "green", "--yes", *words)
    assert result.code == 4
    assert says in result.err
    assert dead.get(ACTIVE) == b"blue"


def test_an_override_is_loud_in_the_audit_with_the_closed_gates(cli: Cli, dead: redis.Redis) -> None:
    assert cli("switch", "green", "--yes", "--who", "ada", "--reason", "move", *OVER).code == 0
    assert dead.get(ACTIVE) == b"green"
    override, switch = cli("audit", "--json").json[-2:]
    assert (override["command"], override["who"]) == ("override", "ada")
    assert override["changes"][0]["what"] == "gate heartbeats"
    assert override["changes"][0]["after"] == "OVERRIDDEN"
    assert "98 s" in override["changes"][0]["before"]
    assert switch["command"] == "switch"
    assert switch["why"] == "OVERRIDE of heartbeats: the venue told us so (move)"
    assert cli("audit", "verify").code == 0


def test_an_override_that_no_gate_needs_changes_nothing(cli: Cli, blue: redis.Redis) -> None:
    assert cli("switch", "green", "--yes", *OVER).code == 0
    assert [entry["command"] for entry in cli("audit", "--json").json] == ["switch", "switch"]


def test_what_reduces_risk_passes_though_every_gate_is_closed(
    cli: Cli, blue: redis.Redis, plan: str, home: Path
) -> None:
    assert cli("canary", "start", plan, "--run", "r1", "--yes").code == 0
    assert cli("switch", "green", "--yes", "--now", *OVER).code == 0
    configure(home, '[volatility]\nkey = "vol"\n[gates]\nrequire = ["snapshot", "guard", "plan-read", "limits"]\n')
    beat(blue, "green", 98)
    assert set(closed(cli("switch", "blue", "--yes", "--json"))) >= {"volatility", "snapshot", "plan-read"}
    assert cli("undo", "--yes").code == 0
    assert blue.get(ACTIVE) == b"blue"
    assert cli("switch", "green", "--yes", "--now", *OVER).code == 0
    assert cli("canary", "pause").code == 0
    assert cli("rollback").code == 0
    assert cli("halt", "--level", "no-new-entries").code == 0
    assert cli("halt").code == 0


def test_undoing_a_roll_back_goes_forward_and_is_gated(cli: Cli, blue: redis.Redis) -> None:
    assert cli("switch", "green", "--yes").code == 0
    assert cli("rollback").code == 0
    beat(blue, "blue", version="2.4.0")
    beat(blue, "green", 98)
    assert "heartbeats" in closed(cli("undo", "--json"))
    assert cli("undo", *OVER).code == 0
    assert blue.get(ACTIVE) == b"green"


def test_resume_restore_canary_and_experiment_pass_the_gates_too(
    cli: Cli, blue: redis.Redis, plan: str, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "experiment.toml").write_text(EXPERIMENT)
    assert cli("experiment", "define", "sizing", str(tmp_path / "experiment.toml")).code == 0
    assert cli("snapshot", "take").code == 0
    assert cli("switch", "green", "--yes").code == 0
    configure(home, '[volatility]\nkey = "vol"\n')
    for words in (
        ("canary", "start", plan),
        ("experiment", "start", "sizing"),
        ("snapshot", "restore", "latest"),
        ("switch", "blue"),
    ):
        assert "missing" in closed(cli(*words, "--yes", "--json"))["volatility"], words
    assert cli("halt").code == 0
    refused = cli("resume", "blue", "--yes", "--reason", "x", "--json")
    assert "counts as high" in closed(refused)["volatility"]
    assert blue.get(ACTIVE) == b"halted"


def test_a_freeze_is_lifted_through_the_gates(cli: Cli, blue: redis.Redis, home: Path) -> None:
    assert cli("halt", "--level", "no-new-entries").code == 0
    configure(home, '[volatility]\nkey = "vol"\n')
    assert "volatility" in closed(cli("resume", "--yes", "--reason", "x", "--json"))
    blue.set("vol", json.dumps([[time.time() - 60 * n, 1.0] for n in range(20)]))
    assert cli("resume", "--yes", "--reason", "x").code == 0


@pytest.mark.parametrize(
    ("series", "word"),
    [
        (lambda now: json.dumps([[now - 60 * n, 1.0 if n else 3.0] for n in range(20)]), "3.00 times its median"),
        (lambda now: json.dumps([[now - 60 * n - 600, 1.0] for n in range(20)]), "silent"),
        (lambda now: json.dumps([[now + 600 - 60 * n, 1.0] for n in range(20)]), "from the future"),
        (lambda now: "NaN", "counts as high"),
        (lambda now: "{", "not JSON"),
        (lambda now: "1.5", "no median yet"),
        (lambda now: json.dumps([[now, 1.0], "x"]), "no figures"),
    ],
)
def test_volatility_is_high_where_it_is_and_where_nobody_can_say(
    cli: Cli, blue: redis.Redis, home: Path, series: Callable[[float], str], word: str
) -> None:
    configure(home, '[volatility]\nkey = "vol"\n')
    blue.set("vol", series(time.time()))
    assert word in closed(cli("switch", "green", "--yes", "--json"))["volatility"]


def test_volatility_of_another_type_or_without_a_number_counts_as_high(cli: Cli, blue: redis.Redis, home: Path) -> None:
    configure(home, '[volatility]\nkey = "vol"\n')
    blue.rpush("vol", "1")
    assert "counts as high: error" in closed(cli("switch", "green", "--yes", "--json"))["volatility"]


def test_volatility_is_realised_from_the_prices_in_the_decision_log(
    cli: Cli, blue: redis.Redis, home: Path, tmp_path: Path
) -> None:
    log = tmp_path / "d.jsonl"
    now = time.time()

    def write(last: float) -> None:
        rows = []
        for n in range(600):
            wobble = (1 + last if n >= 590 else 1.001) if n % 2 else 1.0
            rows.append(
                {
                    "agent_version": "v1",
                    "timestamp": now - 5 * (600 - n),
                    "decision_type": "bet",
                    "inputs": {"price": 100 * wobble},
                    "output": {},
                    "reasoning": "",
                }
            )
        log.write_text("".join(json.dumps(row) + "\n" for row in rows))

    configure(home, '[volatility]\nfield = "inputs.price"\nprices = true\nwindow_s = 50\n')
    write(0.001)
    assert cli("switch", "green", "--yes", "--decisions", str(log)).code == 0
    write(0.05)
    refused = closed(cli("switch", "blue", "--yes", "--decisions", str(log), "--json"))
    assert "times its median" in refused["volatility"]


@pytest.fixture
def http() -> Iterator[tuple[str, dict[str, bytes]]]:
    """A real server: path → the whole answer's body; `slow` sleeps, `huge` never ends, `gone` redirects."""
    bodies: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.strip("/")
            if name == "slow":
                time.sleep(3)
            status = {"gone": 302, "bad": 503}.get(name, 200 if name in bodies else 404)
            self.send_response(status)
            if name == "gone":
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            body = bodies.get(name, b"")
            try:
                if name == "huge":
                    for _ in range(60):
                        self.wfile.write(b"1" * (1 << 20))
                else:
                    self.wfile.write(body)
            except OSError:
                return  # whoever asked has heard enough

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("slow", "timed out"),
        ("huge", "answers more than"),
        ("gone", "it answers 302"),
        ("bad", "it answers 503"),
        ("none", "it answers 404"),
        ("torn", "not JSON"),
        ("empty", "nothing stands at"),
    ],
)
def test_a_volatility_address_that_fails_counts_as_high_each_in_its_own_words(
    cli: Cli, blue: redis.Redis, home: Path, http: tuple[str, dict[str, bytes]], path: str, word: str
) -> None:
    url, bodies = http
    bodies |= {"torn": b'{"a": [', "empty": b"{}", "huge": b"", "slow": b"1", "gone": b"", "bad": b""}
    configure(home, f'[volatility]\nurl = "{url}/{path}"\npointer = "/vol/0"\n[gates]\ntimeout_s = 0.5\n')
    began = time.monotonic()
    assert word in closed(cli("switch", "green", "--yes", "--json"))["volatility"]
    assert time.monotonic() - began < 2.5
    assert cli("rollback").code in (0, 4)


def test_a_volatility_address_is_read_at_its_pointer(
    cli: Cli, blue: redis.Redis, home: Path, http: tuple[str, dict[str, bytes]]
) -> None:
    url, bodies = http
    configure(home, f'[volatility]\nurl = "{url}/v"\npointer = "/vol/0"\nlimit = 2.0\n')
    bodies["v"] = b'{"vol": [1.5]}'
    assert cli("switch", "green", "--yes").code == 0
    bodies["v"] = b'{"vol": [2.0]}'
    assert "high: 2" in closed(cli("switch", "blue", "--yes", "--json"))["volatility"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'{"status": "ok", "dependencies": {"redis": "connected", "venue": {"ok": true}}}', ""),
        (b'{"status": "ok", "dependencies": {"redis": "down"}}', "not connected: redis"),
        (b'{"status": "degraded"}', "not connected: status"),
        (b"<html>", "not JSON"),
    ],
)
def test_health_of_the_version_is_asked_where_an_address_is_configured(
    cli: Cli, blue: redis.Redis, home: Path, http: tuple[str, dict[str, bytes]], body: bytes, word: str
) -> None:
    url, bodies = http
    bodies["h"] = body
    configure(home, f'[gates.health]\ngreen = "{url}/h"\n')
    result = cli("switch", "green", "--yes", "--json")
    assert word in closed(result)["health"] if word else result.code == 0


def state_file(tmp_path: Path, **document: object) -> str:
    path = tmp_path / "state.json"
    path.write_text(json.dumps({"timestamp": time.time(), **document}))
    return str(path)


def test_a_plain_agents_escrow_that_is_released_in_20_minutes_blocks_until_it_is_over(
    cli: Cli, blue: redis.Redis, tmp_path: Path
) -> None:
    def go(minutes: float) -> Result:
        due = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
        escrows = [{"escrow_id": "esc_91ab", "auto_release_at": due, "status": "funded"}]
        path = state_file(tmp_path, escrows=escrows, escrow_ids=["esc_91ab"])
        return cli("switch", "green", "--yes", "--json", "--state-file", path)

    assert "esc_91ab is released in 20 min" in closed(go(20.1))["auto-release"]
    assert "esc_91ab is released 4 min ago" in closed(go(-4.1))["auto-release"]
    assert go(31).code == 0


@pytest.mark.parametrize(
    ("document", "gate", "word"),
    [
        ({"escrow_ids": ["esc_1"]}, "auto-release", "when esc_1 is released is not recorded"),
        ({"escrows": [{"id": "esc_1", "status": "disputed"}]}, "disputes", "esc_1"),
        ({"escrow_ids": [], "timestamp": 1_700_000_000}, "auto-release", "stale"),
        ({"escrow_ids": [], "timestamp": 4_000_000_000}, "auto-release", "from the future"),
        ({"escrow_ids": [], "open_rounds": [1, 2]}, "rounds", "2 open"),
    ],
)
def test_what_a_state_file_says_or_does_not_say_closes(
    cli: Cli, blue: redis.Redis, tmp_path: Path, document: dict[str, object], gate: str, word: str
) -> None:
    path = state_file(tmp_path, **document)
    refused = closed(cli("switch", "green", "--yes", "--json", "--state-file", path))
    assert word in refused[gate]


def test_a_state_file_torn_at_any_byte_or_gone_is_never_open(cli: Cli, blue: redis.Redis, tmp_path: Path) -> None:
    path = Path(state_file(tmp_path, escrow_ids=[]))
    text = path.read_text()
    for cut in range(0, len(text), 7):
        path.write_text(text[:cut])
        assert closed(cli("switch", "green", "--yes", "--json", "--state-file", str(path)))
    path.unlink()
    refused = closed(cli("switch", "green", "--yes", "--json", "--state-file", str(path)))
    assert refused["auto-release"] == "missing: there is no state.json"


def test_a_guard_that_went_silent_closes(cli: Cli, blue: redis.Redis) -> None:
    word = {"ms": server_ms(blue) - 400_000, "watching": "blue"}
    blue.hset(GuardKeys.of(KEYS).guards, "g1", json.dumps(word))
    assert "g1 was heard 7 min ago" in closed(cli("switch", "green", "--yes", "--json"))["guard"]


def test_a_decision_on_an_older_epoch_is_a_conflict_and_no_question_of_gates(cli: Cli, dead: redis.Redis) -> None:
    epoch = cli("status", "--json").json["authority"]["epoch"]
    assert cli("switch", "green", "--yes", *OVER).code == 0
    beat(dead, "blue", 98)
    result = cli("switch", "blue", "--yes", "--json", "--expect-epoch", str(epoch), *OVER)
    assert (result.code, result.json["error"]["title"]) == (4, "Conflict")


TWO = "[gates]\napprovals = 2\n"


def propose(cli: Cli, *more: str, who: str = "ada") -> Result:
    return cli("switch", "green", "--yes", "--who", who, "--json", *(more or OVER))


def plan_id(cli: Cli, state: str = "waits") -> str:
    (row,) = [row for row in cli("approvals", "--json").json if row["state"] == state]
    return str(row["id"])


def test_with_two_approvals_a_second_operator_has_to_agree(cli: Cli, dead: redis.Redis, home: Path) -> None:
    configure(home, TWO)
    refused = propose(cli)
    assert "heartbeats" in closed(refused)
    assert "nobody has approved it" in refused.json["error"]["message"]
    plan = plan_id(cli)
    assert plan in refused.json["error"]["hint"]
    assert plan in cli("approve").out
    assert cli("approve", plan, "--yes", "--who", "bob", "--reason", "agreed").code == 0
    assert dead.get(ACTIVE) == b"blue"
    assert propose(cli).code == 0
    assert dead.get(ACTIVE) == b"green"
    commands = [entry["command"] for entry in cli("audit", "--json").json]
    assert commands == ["switch", "propose switch", "approve", "override", "switch"]
    assert cli("audit", "--json").json[-2]["note"] == "ada; approved by bob"


def test_the_proposer_can_t_approve(cli: Cli, dead: redis.Redis, home: Path) -> None:
    configure(home, TWO)
    propose(cli)
    refused = cli("approve", plan_id(cli), "--yes", "--who", "ada", "--json")
    assert refused.code == 4
    assert "proposed it" in refused.json["error"]["message"]
    assert "nobody has approved" in propose(cli).json["error"]["message"]


@pytest.mark.parametrize(
    "edit",
    [
        ("switch", "green", "--who", "ada", "--override", "another reason", "--confirm", "agent"),
        ("switch", "green", "--who", "eve", *OVER),
    ],
    ids=["the reason", "the person"],
)
def test_an_edit_of_the_plan_voids_the_approval(cli: Cli, dead: redis.Redis, home: Path, edit: tuple[str, ...]) -> None:
    configure(home, TWO)
    propose(cli)
    assert cli("approve", plan_id(cli), "--yes", "--who", "bob").code == 0
    refused = cli(*edit, "--yes", "--json")
    assert "nobody has approved it" in refused.json["error"]["message"]
    assert dead.get(ACTIVE) == b"blue"


def test_another_closed_gate_voids_the_approval(cli: Cli, dead: redis.Redis, home: Path) -> None:
    configure(home, TWO)
    propose(cli)
    assert cli("approve", plan_id(cli), "--yes", "--who", "bob").code == 0
    configure(home, TWO + '[volatility]\nkey = "vol"\n')
    assert "nobody has approved it" in propose(cli).json["error"]["message"]


def test_an_approval_is_for_one_epoch(cli: Cli, dead: redis.Redis, home: Path) -> None:
    configure(home, TWO)
    propose(cli)
    plan = plan_id(cli)
    assert cli("approve", plan, "--yes", "--who", "bob").code == 0
    assert cli("halt", "--level", "no-new-entries").code == 0
    assert "nobody has approved it" in propose(cli).json["error"]["message"]
    assert plan == plan_id(cli, "void")
    assert cli("approve", plan, "--yes", "--who", "bob").code == 4


def test_a_stale_approval_is_none(cli: Cli, dead: redis.Redis, home: Path) -> None:
    configure(home, TWO)
    propose(cli)
    plan = plan_id(cli)
    assert cli("approve", plan, "--yes", "--who", "bob").code == 0
    raw = dead.hget(GATES, f"plan:{plan}")
    assert isinstance(raw, bytes)
    head, _, body = raw.decode().partition("\n")
    document = json.loads(body)
    document["approval"]["expires_at"] = document["approval"]["approved_at"]
    dead.hset(GATES, f"plan:{plan}", f"{head}\n{json.dumps(document)}")
    assert plan == plan_id(cli, "expired")
    assert "the approval by bob held until" in propose(cli).json["error"]["message"]
    assert dead.get(ACTIVE) == b"blue"
    assert plan == plan_id(cli, "waits"), "it waits for a new one"


def test_an_approval_of_a_canary_does_not_serve_a_switch(cli: Cli, blue: redis.Redis, home: Path, plan: str) -> None:
    configure(home, TWO + '[volatility]\nkey = "vol"\n')
    assert cli("canary", "start", plan, "--yes", "--who", "ada", "--json", *OVER).code == 4
    assert cli("approve", plan_id(cli), "--yes", "--who", "bob").code == 0
    assert propose(cli).code == 4
    Path(plan).write_text(PLAN.replace("10000", "20000"))
    assert cli("canary", "start", plan, "--yes", "--who", "ada", "--json", *OVER).code == 4
    Path(plan).write_text(PLAN)
    assert cli("canary", "start", plan, "--yes", "--who", "ada", "--json", *OVER).code == 0


@pytest.mark.parametrize(
    "junk", [b"x", b"1\n{", b"1\n[]", b'1\n{"plan": 5}', b"\xff\xfe", b'1\n{"plan":{"proposed_at":1}}']
)
def test_what_somebody_wrote_into_the_records_opens_nothing(
    cli: Cli, dead: redis.Redis, home: Path, junk: bytes
) -> None:
    configure(home, TWO)
    dead.hset(GATES, mapping=dict.fromkeys(("plan:abc", "tick:first-ten", "canary:r1", "x"), junk))
    assert cli("approvals", "--json").json == []
    assert propose(cli).code == 4
    assert cli("approve", plan_id(cli), "--yes", "--who", "bob").code == 0
    assert propose(cli).code == 0


def test_records_of_another_type_close_what_needs_them_and_let_reductions_pass(
    cli: Cli, dead: redis.Redis, home: Path
) -> None:
    configure(home, TWO)
    dead.set(GATES, "x")
    assert propose(cli).code != 0
    assert dead.get(ACTIVE) == b"blue"
    assert cli("halt").code == 0


def test_who_is_who_comes_from_the_stores_login_where_it_has_users(
    cli: Cli, valkey_server: Callable[..., Server], home: Path
) -> None:
    server = valkey_server()
    root = redis.Redis(unix_socket_path=str(server.socket), client_name="agent-console-test")
    for name in ("ada", "bob"):
        root.execute_command("ACL SETUSER", name, "on", ">pw", "~*", "&*", "+@all")
    url = {name: f"unix://{name}:pw@{server.socket}" for name in ("ada", "bob")}
    plain = f"unix://{server.socket}"
    configure(home, TWO)
    assert cli("switch", "blue", "--yes", url=url["ada"]).code == 0
    beat(root, "green", 98)
    words = ("switch", "green", "--yes", "--who", "ada", "--json", *OVER)
    assert cli(*words, url=url["ada"]).code == 4
    (row,) = cli("approvals", "--json", url=url["ada"]).json
    assert row["login"] == "ada"
    for by in (url["ada"], plain):  # another name, the same login; and somebody whom the store does not know
        assert cli("approve", row["id"], "--yes", "--who", "bob", url=by).code == 4
    assert cli("approve", row["id"], "--yes", "--who", "ada", url=url["bob"]).code == 0
    assert cli(*words, url=url["ada"]).code == 0
    audit = cli("audit", "--json", url=url["ada"]).json
    assert audit[-2]["note"] == "ada (login ada); approved by ada (login bob)"
    root.close()


def test_the_checklist_says_no_while_something_is_closed(cli: Cli, dead: redis.Redis) -> None:
    result = cli("checklist", "--phase", "before", "--json")
    assert result.code == 1
    items = {item["item"]: item for item in result.json["items"]}
    assert items["heartbeats"]["state"] == "closed"
    assert items["heartbeats"]["forbids"]
    assert items["snapshot"]["evidence"] == "missing: none was taken on this host, and none is known of another"
    assert not items["snapshot"]["forbids"]
    text = cli("checklist", "--phase", "all").out
    assert "CLOSED" in text and "not checked" in text


def test_a_manual_item_is_ticked_by_a_named_operator_with_what_was_seen(cli: Cli, blue: redis.Redis) -> None:
    def first_ten() -> str:
        items = cli("checklist", "--phase", "during", "--json").json["items"]
        return next(f"{item['state']}: {item['evidence']}" for item in items if item["item"] == "first-ten")

    assert first_ten().startswith("closed")
    assert cli("checklist", "tick", "first-ten", "--yes").code == 2
    assert cli("checklist", "tick", "heartbeats", "--yes", "--reason", "x").code == 2
    assert cli("checklist", "tick", "first-ten", "--reason", "all ten are bets on heads", "--who", "ada").code == 0
    assert first_ten().startswith("open: ada, ")
    assert "all ten are bets on heads" in first_ten()
    assert cli("switch", "green", "--yes").code == 0
    assert "earlier deployment" in first_ten()


def test_a_switch_can_require_what_people_tick(cli: Cli, blue: redis.Redis, home: Path) -> None:
    configure(home, '[gates]\nrequire = ["plan-read"]\n')
    assert "nobody has ticked it" in closed(cli("switch", "green", "--yes", "--json"))["plan-read"]
    assert cli("checklist", "tick", "plan-read", "--reason", "read").code == 0
    assert cli("switch", "green", "--yes").code == 0


def test_the_checklist_waits_until_nothing_is_closed(cli: Cli, blue: redis.Redis, store_url: str) -> None:
    assert cli("checklist", "tick", "restored", "--reason", "verified").code == 0

    def later() -> None:
        time.sleep(1.2)
        other = redis.Redis.from_url(store_url)
        tick = {"item": "first-ten", "by": "ada", "login": "default", "why": "w", "epoch": 0}
        at = datetime.fromtimestamp(server_ms(other) / 1000, UTC).isoformat()
        other.hset(GATES, "tick:first-ten", "1\n" + json.dumps({**tick, "at": at}))
        other.close()

    thread = threading.Thread(target=later)
    thread.start()
    began = time.monotonic()
    result = cli("checklist", "--phase", "during", "--wait")
    thread.join()
    assert result.code == 0
    assert time.monotonic() - began > 1.0


def test_the_clocks_of_the_phases_stand_in_the_store(cli: Cli, blue: redis.Redis) -> None:
    first = {clock["phase"]: clock for clock in cli("checklist", "--json").json["clocks"]}
    again = {clock["phase"]: clock for clock in cli("checklist", "--json").json["clocks"]}
    assert first["after"]["ends_at"] == again["after"]["ends_at"]
    began = datetime.fromisoformat(first["warm"]["began_at"])
    assert datetime.fromisoformat(first["warm"]["ends_at"]) - began == timedelta(hours=24)
    assert datetime.fromisoformat(first["after"]["ends_at"]) - began == timedelta(minutes=30)


@pytest.mark.parametrize(
    "text",
    [
        '[gates]\nrequire = ["nothing"]\n',
        "[gates]\napprovals = 3\n",
        '[gates]\nmaintenance = ["tomorrow"]\n',
        '[volatility]\nkey = "a"\nurl = "http://b"\n',
        "[gates]\nsnapshot_s = 301\n",
    ],
)
def test_settings_of_gates_are_checked(cli: Cli, home: Path, text: str) -> None:
    configure(home, text)
    assert cli("checklist").code == 2


def test_an_announced_maintenance_closes_from_half_an_hour_before(cli: Cli, blue: redis.Redis, home: Path) -> None:
    def window(begins_min: float) -> None:
        begins = datetime.now(UTC) + timedelta(minutes=begins_min)
        span = f"{begins.isoformat()}/{(begins + timedelta(hours=1)).isoformat()} matching engine"
        configure(home, f'[gates]\nmaintenance = ["{span}"]\n')

    window(29)
    assert "matching engine" in closed(cli("switch", "green", "--yes", "--json"))["maintenance"]
    window(-59)
    assert "until" in closed(cli("switch", "green", "--yes", "--json"))["maintenance"]
    window(31)
    assert cli("switch", "green", "--yes").code == 0


def test_without_yes_the_question_shows_the_gates_as_evidence_in_numbers(cli: Cli, dead: redis.Redis) -> None:
    beat(dead, "green")
    asked = cli("switch", "green")
    assert asked.code == 2
    assert "1 of green beat and are ready (2.5.0)" in asked.err
    assert "not checked volatility" in asked.err
