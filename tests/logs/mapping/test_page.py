"""docs/mapping.md: its settings are those that there are, its example is one, its preset is the preset."""

from __future__ import annotations

import re
import tomllib
from typing import Final

import msgspec

from console.logs.mapping.mapping import PRESETS, Mapping, paths_of
from tests import ROOT

PAGE: Final = (ROOT / "docs" / "mapping.md").read_text("utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_page_names_every_setting_and_no_other() -> None:
    names = [
        name
        for row in re.findall(r"^\| (`[^|]*) \|", section("Values"), re.M)
        for name in re.findall(r"`([a-z_]+)`", row)
    ]
    assert sorted(names) == sorted(Mapping.__struct_fields__)


def test_the_example_on_the_page_is_a_mapping() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    msgspec.convert(tomllib.loads(example)["logs"]["mapping"], Mapping).whole()


def test_the_preset_on_the_page_is_the_preset() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (.*) \|$", section("OpenTelemetry's spans"), re.M)
    preset = PRESETS["otel-genai"]
    said = {name: paths_of(where) for name in Mapping.__struct_fields__ if (where := getattr(preset, name))}
    assert {name: tuple(re.findall(r"`([^`]+)`", text)) for name, text in rows} == said
