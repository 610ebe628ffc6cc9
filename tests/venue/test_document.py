"""A venue's document is refused whole, with every error named, where it could lead a request or a key astray."""

from __future__ import annotations

import copy
import os
import pickle
import re
import tomllib
from pathlib import Path

import pytest

from console.agent import Settings
from console.cli.schema import DOCUMENTS
from console.domain.errors import UsageError
from console.domain.venue.terms import Payee
from console.venue.addresses import check_address, check_path, filled
from console.venue.document import PRESETS, VenueDocument
from console.venue.secret import Secret
from console.venue.setup import FOLDER, key_terms, load, over_preset
from tests import ROOT

KEY = "sk_live_0123456789abcdef"
REST = """preset = "rest"
name = "mine"
[services]
api = { url = "https://api.example.com" }
[auth]
key_env = "K"
"""


def loaded(folder: Path, text: str, key: str = KEY) -> object:
    path = folder / "venue.toml"
    path.write_text(text)
    return load(path, {"K": key})


def test_presets_are_the_files_beside_the_code() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(PRESETS)


def test_every_error_is_named_at_once_with_its_line(tmp_path: Path) -> None:
    wrong = 'nam = 1\n[probes.balance]\npath = "//evil.example/x"\namount = "nope"\n[tolerances]\namount = -1\n'
    with pytest.raises(UsageError) as refused:
        loaded(tmp_path, 'preset = "rest"\n' + wrong + '[services]\napi = { url = "http://evil.example" }\n')
    for part in ("name is missing", "line 2", "line 4", "line 5", "line 6", "0 or more", "https"):
        assert part in refused.value.message, part


def test_what_of_a_preset_is_not_there_is_left_out_by_name(tmp_path: Path) -> None:
    venue = loaded(tmp_path, 'without = ["probes.orders", "deadman"]\n' + REST)
    assert venue.document.probes.orders is None  # type: ignore[attr-defined]
    assert venue.deadman is None  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match=r"has no probes\.ordres"):
        loaded(tmp_path, 'without = ["probes.ordres"]\n' + REST)
    with pytest.raises(UsageError, match="Did you mean rest"):
        loaded(tmp_path, REST.replace('"rest"', '"rst"'))


@pytest.mark.parametrize(
    "address",
    [
        "http://api.example.com",
        "https://user@api.example.com",
        "https://a:b@api.example.com",
        "https://api.example.com/",
        "https://api.example.com?x=1",
        "https://api.example.com/../x",
        "https:/api.example.com",
        "https://",
        "ftp://api.example.com",
        "https://api.example.com:99999",
        "https://api.example.com\\@evil.example",
        "https://api.example.com/{id}",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "https://ex\u00e4mple.com",
    ],
)
def test_an_address_that_could_lead_elsewhere_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="an address"):
        check_address(address)


@pytest.mark.parametrize(
    "path", ["x", "//evil.example", "/a//b", "/../x", "/a/{secret}", "/a{", "/a b", "/a#b", "/a\\b", "/a\r\nX: y"]
)
def test_a_path_that_could_lead_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="a path like"):
        check_path(path)


@pytest.mark.parametrize("value", ["", ".", "..", "a\nb", "x" * 201])
def test_an_id_that_is_no_part_of_a_path_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="can't stand"):
        filled("/escrow/{id}", {"id": value})


def test_an_id_stays_one_part_of_its_path() -> None:
    assert filled("/escrow/{id}", {"id": "../../admin?x=1#@evil"}) == "/escrow/..%2F..%2Fadmin%3Fx%3D1%23%40evil"


def test_a_key_is_shown_nowhere_and_written_nowhere(tmp_path: Path) -> None:
    venue = loaded(tmp_path, REST)
    secret = venue.secret  # type: ignore[attr-defined]
    assert KEY not in repr(venue) + str(secret) + f"{secret}"
    assert KEY not in secret.hide(f"your key {KEY} is wrong")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.copy(secret)


@pytest.mark.parametrize("key", ["", "a\nb", "a\x00b", "k\u00e9y", "x" * 5000])
def test_a_key_that_can_not_stand_in_a_header_is_refused_without_being_shown(tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageError) as refused:
        loaded(tmp_path, REST, key)
    assert not key or key not in str(refused.value)


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    file.chmod(0o644)
    text = REST.replace('key_env = "K"', f'key_file = "{file}"')
    with pytest.raises(UsageError, match="chmod 600"):
        loaded(tmp_path, text)
    file.chmod(0o600)
    assert loaded(tmp_path, text).secret.reveal() == KEY  # type: ignore[attr-defined]
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="is no file"):
        Secret.from_file(tmp_path / "pipe")
    with pytest.raises(UsageError, match="can't be read"):
        Secret.from_file(tmp_path / "none")


def test_who_is_paid_at_a_time_out_is_unset_until_somebody_says_it_and_from_where(tmp_path: Path) -> None:
    assert loaded(tmp_path, REST).rules.escrow.payee is Payee.UNSET  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="provenance"):
        loaded(tmp_path, REST + '[escrow]\npayee = "creator"\n')


def test_a_dead_mans_switch_is_armed_only_where_all_of_it_is_known(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="takes"):
        loaded(tmp_path, REST + "[deadman]\narmed = true\n")
    known = 'takes = "all"\ngoodbye = "disarms"\nprovenance = "the API reference"\n'
    venue = loaded(tmp_path, REST + "[deadman]\narmed = true\n[deadman.terms]\n" + known)
    assert venue.document.deadman.armed  # type: ignore[attr-defined]


def test_the_document_has_a_json_schema() -> None:
    assert DOCUMENTS["venue"] == "console.venue.document:VenueDocument"


def test_the_examples_of_the_documents_load() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "venues.md").read_text("utf-8"), re.DOTALL)
    for text in ("".join(blocks), (ROOT / "docs" / "examples" / "venue.toml").read_text("utf-8")):
        values = over_preset(tomllib.loads(text))
        assert VenueDocument.model_validate(values).deadman.armed  # type: ignore[union-attr]


def test_an_agent_reads_the_window_of_keys_without_the_venues_secret(tmp_path: Path) -> None:
    path = tmp_path / "venue.toml"
    path.write_text(REST + '[keys]\nwindow_s = 60\nprovenance = "their reference"\n')
    assert key_terms(path).window_s == 60
    assert Settings(key_terms=key_terms(path)).window_ms == 55_000
