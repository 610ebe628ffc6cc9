"""No secret leaves an agent in its decision log, its doubts, its `last_error` or what it hands to `logging`."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.agent import DecisionLog
from console.agent.decision_record import MIN_RECORD, seal
from console.agent.fence.ended import describe
from console.agent.plain_secrets import logger, without_secrets_in_json
from console.domain.fence.sealed import read_seal
from console.domain.secrets import is_secret_name, without_secrets

S = "S3cr3tS3cr3tS3cr3tS3cr3t"


def written(folder: Path, **fields: Any) -> tuple[bytes, dict[str, Any]]:
    log = DecisionLog(folder / "log.jsonl", version="v", slot="green")
    try:
        log.write("bet", **({"inputs": {}, "output": {}, "reasoning": ""} | fields))
    finally:
        log.close()
    (line,) = (folder / "log.jsonl").read_bytes().splitlines()
    return line, json.loads(line)


def test_no_secret_stands_in_a_decision_log(tmp_path: Path) -> None:
    line, record = written(
        tmp_path,
        inputs={
            "password": S,
            "pin": {"apiKey": S, "secret_key": 1234567, "token": "ETH", "n": 1.50},
            "headers": [f"Authorization: Bearer {S}", "a\nkey=" + S],
            "body": json.dumps({"api_key": S, "qty": 5}),
        },
        output={"error": f"401 for https://v.example/o?api_key={S}&signature={S}", "signature": "5x9", "pnl": -1},
        reasoning=f"can't reach redis://:{S}@h:6379/0; swap token: ETH “now”",
    )
    assert b"S3cr3t" not in line
    assert b"1234567" not in line
    assert record["inputs"]["pin"] == {"apiKey": "***", "secret_key": "***", "token": "ETH", "n": 1.5}
    assert record["output"]["signature"] == "5x9"
    assert record["reasoning"] == "can't reach redis://:***@h:6379/0; swap token: ETH “now”"
    assert read_seal(line) is not None


def test_a_record_of_nothing_but_secrets_stays_within_its_size() -> None:
    body = {"inputs": {f"{number}pwd": 1 for number in range(4_000)}, "reasoning": "x"}
    assert len(seal(body, "", MIN_RECORD).line) <= MIN_RECORD


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def test_no_secret_reaches_logging_not_even_in_a_traceback(heard: pytest.LogCaptureFixture) -> None:
    log = logger("console.agent.test")
    try:
        try:
            raise ConnectionError(f"redis://:{S}@h")
        except ConnectionError as error:
            raise RuntimeError(f"token={S}") from error
    except RuntimeError:
        log.exception("%s: api_key=%s", "g1", S)
    log.warning("%d %s", 3, "plain")
    assert "S3cr3t" not in heard.text
    assert "redis://:***@h" in heard.text
    assert "RuntimeError: token=***" in heard.text
    assert "3 plain" in heard.text
    assert all(record.exc_info is None for record in heard.records)


def test_an_exception_is_told_without_its_secrets_however_long_it_is() -> None:
    told = describe(ValueError("x" * 900 + f" password={S * 10}"))
    assert told.startswith("ValueError: xxx")
    assert "S3cr3t" not in told


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('ab =:"\\?&@/\n\t\x01keyß')) | st.just("pwd=x"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "password", "k\n", "token", '"']), inner, max_size=3)
    ),
)


def hidden(value: Any) -> Any:
    """What has to come out, by the members."""
    if isinstance(value, dict):
        return {
            name: "***"
            if is_secret_name(name) and isinstance(inner, str | int) and not isinstance(inner, bool)
            else hidden(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [hidden(inner) for inner in value]
    return without_secrets(value) if isinstance(value, str) else value


@given(JSON)
def test_json_stays_json_and_loses_nothing_else(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert json.loads(without_secrets_in_json(text)) == hidden(value)
