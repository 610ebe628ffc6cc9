"""Whoever writes a plan by hand hears of every mistake at once, each with its line, and of none that is not there."""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.documents.canary import CanaryFile, read_plan_file
from console.documents.experiment import ExperimentFile, read_definition
from console.documents.lines import lines_in_json, lines_in_toml
from console.documents.model import meanings_of, model_of
from console.domain.canary.plan import Plan, Step
from console.domain.canary.text import read_plan
from console.domain.document import document, record_from
from console.domain.errors import UsageError
from console.domain.statistics.evidence import Settings
from console.guard.setup.file import GuardDocument, load
from tests import ROOT

EXAMPLES = ROOT / "docs" / "examples"
PLAN = (EXAMPLES / "canary.toml").read_text("utf-8")


def refusal(tmp_path: Path, text: str | bytes, name: str = "plan.toml") -> str:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(UsageError) as refused:
        read_plan_file(path)
    return refused.value.message


def test_every_example_in_the_documents_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONCALL_KEY", "key")
    assert read_plan_file(EXAMPLES / "canary.toml").capital == Decimal(10_000)
    assert read_definition(EXAMPLES / "experiment.toml", "sizing")[0].flag == "bet_sizing"
    assert load(EXAMPLES / "guard.toml").triggers.pnl_budget == Decimal(250)
    assert {path.stem for path in EXAMPLES.glob("*.toml")} == {"canary", "experiment", "guard", "venue"}


def test_every_mistake_is_told_at_once_with_its_line_and_the_nearest_name(tmp_path: Path) -> None:
    text = (
        PLAN.replace("sigma = 1.0", "sigmaa = 1.0")
        .replace('"0.20"', "true")
        .replace("automatic = false", 'automatic = "no"')
    )
    told = refusal(tmp_path, text).splitlines()
    line = {key: number for number, row in enumerate(text.splitlines(), 1) for key in [row.split(" ")[0]]}
    assert len(told) == 4
    assert told[0].endswith(f"line {line['automatic']}: automatic is a valid boolean, not 'no'")
    assert told[1].strip() == f"line {line['[settings]']}: settings.sigma is missing"
    assert told[2].strip() == f"line {line['sigmaa']}: there is no settings.sigmaa; did you mean sigma?"
    assert told[3].strip().startswith(f"line {line['share']}: steps 3.share is an amount")


@pytest.mark.parametrize(
    "wrong",
    ["nan", "inf", "-inf", "true", '"x"', "1e400000", "1e-400000", "[1]", "{ a = 1 }", '"1e400000"', "2026-01-01"],
)
def test_an_amount_is_a_finite_number_of_a_size_that_money_has(tmp_path: Path, wrong: str) -> None:
    assert "capital is" in refusal(tmp_path, PLAN.replace('capital = "10000"', f"capital = {wrong}"))


@pytest.mark.parametrize("wrong", ["nan", "inf", "true", '"1.0"', "1e400", "[1.0]", "9" * 400, "-" + "9" * 4000])
def test_a_number_is_a_finite_number_and_no_text(tmp_path: Path, wrong: str) -> None:
    assert "settings.sigma is a finite number" in refusal(tmp_path, PLAN.replace("sigma = 1.0", f"sigma = {wrong}"))


@pytest.mark.parametrize("wrong", ["50.0", '"50"', "true", "1e2"])
def test_a_count_is_a_whole_number(tmp_path: Path, wrong: str) -> None:
    assert "steps 1.min_rounds" in refusal(tmp_path, PLAN.replace("min_rounds = 50", f"min_rounds = {wrong}"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"\xff\xfe", "can't be read"),
        (b"", "is missing"),
        (b"canary = ", "can't be read"),
        ("a = " + "[" * 20_000, "nested too deeply"),
        ("x" * 70_000, "more than 65,536 bytes"),
    ],
)
def test_what_is_no_such_file_is_refused_in_words(tmp_path: Path, text: str | bytes, why: str) -> None:
    assert why in refusal(tmp_path, text)


def test_json_is_read_as_strictly_and_a_byte_order_mark_is_no_part_of_it(tmp_path: Path) -> None:
    values = tomllib.loads(PLAN)
    (tmp_path / "plan.json").write_text("\ufeff" + json.dumps(values), "utf-8")
    assert read_plan_file(tmp_path / "plan.json") == read_plan_file(EXAMPLES / "canary.toml")
    values["settings"]["sigma"] = "x"
    told = refusal(tmp_path, json.dumps(values, indent=1), "plan.json")
    wanted = next(n for n, line in enumerate(json.dumps(values, indent=1).splitlines(), 1) if '"sigma"' in line)
    assert f"line {wanted}: settings.sigma" in told
    assert "[" not in refusal(tmp_path, "[1]", "plan.json").split(":", 1)[0]


NAMES = st.sampled_from(["a", "b", "steps", "share", "x-y", "settings"])
VALUES = st.recursive(
    st.sampled_from(["1", "true", '"a = 2"', '"[steps]"', "'''\na = 3\n[b]\n'''", "1.5 # a = 4", "2026-01-01"]),
    lambda inner: st.lists(inner, max_size=3).map(
        lambda items: "[" + ",\n".join(item.split(" #")[0] for item in items) + "]"
    ),
    max_leaves=3,
)


@given(st.lists(st.tuples(st.sampled_from(["", "[t]", "[[list]]", "[u.v]"]), NAMES, VALUES), max_size=8))
def test_a_line_that_is_told_is_the_one_where_the_value_begins(entries: list[tuple[str, str, str]]) -> None:
    lines: list[str] = []
    places: list[tuple[tuple[str | int, ...], int]] = []
    table, seen, rows = (), {()}, 0
    taken: set[tuple[tuple[str | int, ...], str]] = set()
    for header, name, value in entries:
        if header == "[[list]]":
            table, rows = ("list", rows), rows + 1
            lines += ["# share = 9", header]
        elif header and header not in seen:
            table = tuple(header.strip("[]").split("."))
            lines += ["", header]
            seen.add(header)
        if (table, name) in taken:
            continue
        taken.add((table, name))
        places.append(((*table, name), len(lines) + 1))
        lines += f"{name} = {value}".split("\n")
    text = "\n".join(lines) + "\n"
    tomllib.loads(text)
    assert lines_in_toml(text, [path for path, _line in places]) == [line for _path, line in places]


JSON = st.recursive(
    st.sampled_from([1, "a", '{"a": 1}', None, True, 'x"y']),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", 'q"', "}"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON)
def test_a_line_that_is_told_in_json_is_the_one_of_the_key(values: object) -> None:
    text = json.dumps(values, indent=1)
    paths: list[tuple[str | int, ...]] = []

    def walk(value: object, path: tuple[str | int, ...]) -> None:
        if path:
            paths.append(path)
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, (*path, key))
        if isinstance(value, list):
            for at, inner in enumerate(value):
                walk(inner, (*path, at))

    walk(values, ())
    for path, line in zip(paths, lines_in_json(text, paths), strict=True):
        row = text.splitlines()[line - 1].strip()
        assert row.startswith(json.dumps(path[-1]) + ":") if isinstance(path[-1], str) else line > 1


@pytest.mark.parametrize("model", [CanaryFile, ExperimentFile, GuardDocument])
def test_a_schema_says_what_every_name_means(model: object) -> None:
    schema = model.model_json_schema(by_alias=True)  # type: ignore[attr-defined]
    for table in (schema, *schema["$defs"].values()):
        for name, field in table.get("properties", {}).items():
            assert field.get("description"), (table.get("title"), name)
        assert "enum" in table or table["additionalProperties"] is False


def test_a_model_has_the_fields_and_defaults_of_its_record() -> None:
    for record in (Plan, Step, Settings):
        model = model_of(record)
        assert list(model.model_fields) == list(record.__dataclass_fields__)
        assert set(meanings_of(record)) == set(record.__dataclass_fields__)


def test_what_the_store_keeps_of_a_plan_is_read_back_without_a_model() -> None:
    plan = read_plan_file(EXAMPLES / "canary.toml").plan
    assert record_from(Plan, document(plan)) == plan
    for broken in (
        None,
        [],
        {},
        {**document(plan), "x": 1},
        {**document(plan), "steps": 3},
        {**document(plan), "automatic": 1},
    ):
        with pytest.raises(UsageError):
            record_from(Plan, broken)


@pytest.mark.parametrize(
    "wrong",
    [{"mode": []}, {"mode": {}}, {"mode": 1}, {"interval_s": 10**400}, {"interval_s": -(10**400)}, {"steps": [[]]}],
)
def test_whatever_stands_in_the_store_in_place_of_a_plan_is_refused_and_breaks_nothing(
    wrong: dict[str, object],
) -> None:
    with pytest.raises(UsageError):
        read_plan(json.dumps({**document(read_plan_file(EXAMPLES / "canary.toml").plan), **wrong}))
