"""The protocol's vectors hold on a real server, for a client that was written from the protocol's page alone."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from console.store import scripts
from tests import ROOT, protocol_client
from tests.generate import vectors
from tests.protocol_client import ByFunction, ByHash, Caller, Connection, Difference, check, empty, play, run

DOCUMENT: Final = json.loads((ROOT / "docs" / "vectors.json").read_text("utf-8"))
CASES: Final[list[dict[str, Any]]] = DOCUMENT["cases"]
BESIDE: Final = "ac:{agent:active_version}:"
TAMPERING: Final = ("XTRIM", "HSET", "FLUSHALL", '"DEL"', '"SET", "ac:')
"""In what is given: whoever does that breaks a chain."""


@pytest.fixture
def connection(store_url: str) -> Iterator[Connection]:
    """A connection to an empty store."""
    with Connection(Path(store_url.removeprefix("unix://").partition("?")[0])) as connection:
        yield connection


@pytest.fixture(params=["by hash", "by function"])
def caller(request: pytest.FixtureRequest, connection: Connection) -> Caller:
    """Both ways in which a script can be called."""
    return ByHash(connection) if request.param == "by hash" else ByFunction(connection, scripts.NAMES)


@pytest.mark.parametrize("name", scripts.NAMES)
def test_every_case_of_a_script_is_answered_as_written(name: str, connection: Connection, caller: Caller) -> None:
    cases = [case for case in CASES if case["call"]["script"] == name]
    assert len(cases) >= 3
    for case in cases:
        empty(connection)
        try:
            play(case, connection, caller)
        except Difference as difference:
            raise AssertionError(f"{name}, {case['name']}: {difference}") from difference


def test_the_client_knows_nothing_of_the_program() -> None:
    tree = ast.parse(Path(protocol_client.__file__).read_text("utf-8"))
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    assert not [module for module in modules if module.partition(".")[0] in ("console", "redis", "hiredis")]


@pytest.mark.parametrize("name", scripts.NAMES)
def test_the_page_says_how_a_script_is_put_together(name: str) -> None:
    assert hashlib.sha1(protocol_client.script(name).encode()).hexdigest() == scripts.sha1(name)


@pytest.mark.parametrize("name", scripts.NAMES)
def test_every_reply_code_that_a_script_documents_has_a_case(name: str) -> None:
    head = vectors.head(name)
    documented = set(re.findall(r"\b[A-Z][A-Z_]+\b", head)) - {"KEYS", "ARGV", "JSON", "C"}
    answered = {
        word
        for case in CASES
        if case["call"]["script"] == name and isinstance(case["reply"], list)
        for word in case["reply"]
    }
    assert documented <= answered | {"RUN", "DRAIN", "HALT"}, documented - answered


def test_a_case_is_named_once_for_its_script() -> None:
    names = [(case["call"]["script"], case["name"]) for case in CASES]
    assert len(names) == len(set(names))


def test_every_reply_ends_with_the_id_of_its_call() -> None:
    calls = [{**case["call"], "reply": case["reply"]} for case in CASES]
    calls += [step for case in CASES for step in case["given"] if "script" in step]
    assert all(call["reply"][-1] == call["args"][-1] for call in calls if isinstance(call["reply"], list))


@pytest.mark.parametrize(
    "case", [case for case in CASES if isinstance(case["reply"], list)][::12], ids=lambda case: case["name"]
)
def test_a_case_whose_reply_is_another_is_refused(case: dict[str, Any], connection: Connection) -> None:
    other = {**case, "reply": ["SURPRISE", *case["reply"][1:]]}
    with pytest.raises(Difference, match="SURPRISE"):
        play(other, connection, ByHash(connection))


def test_a_name_stands_for_one_value_within_a_case() -> None:
    names: dict[str, str] = {}
    check(["<epoch:epoch1>", "<same:epoch1>"], ["1750000000000", "1750000000000"], names)
    with pytest.raises(Difference):
        check("<same:epoch1>", "1750000000001", names)
    with pytest.raises(Difference):
        check("a\n<ms:ms1>\n<same:ms1>", "a\n1750000000000\n1750000000001", {})


def test_the_answer_to_another_call_is_refused(connection: Connection) -> None:
    class Mixed(ByHash):
        def call(self, name: str, keys: Any, args: Any) -> Any:
            return [*super().call(name, keys, args)[:-1], "call-0"]

    (case, *_) = CASES
    with pytest.raises(Difference, match="not that of the call"):
        run(case["given"][0], connection, Mixed(connection), {})


def test_the_document_is_what_is_declared() -> None:
    declared = [(case.call.script, case.name) for case in vectors.CASES]
    assert [(case["call"]["script"], case["name"]) for case in CASES] == declared, "run `make docs`"


def test_every_chain_is_verified_as_the_page_says(connection: Connection) -> None:
    verified = 0
    for case in CASES:
        if any(word in json.dumps(case["given"]) for word in TAMPERING):
            continue
        empty(connection)
        play(case, connection, ByHash(connection))
        for stream, field in (("acts", "ah"), ("log", "lh"), ("audit", "xh")):
            head = ""
            for _, (h, there, *pairs) in connection.command("XRANGE", BESIDE + stream, "-", "+"):
                text = "".join(f"{len(part.encode())}:{part}" for part in (head, *pairs))
                head = hashlib.sha1(text.encode()).hexdigest()
                assert (h, there) == ("h", head), (case["name"], stream)
                verified += 1
            assert (connection.command("HGET", BESIDE + "ctl", field) or "") == head, case["name"]
    assert verified > 500
