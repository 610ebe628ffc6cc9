"""A guard keeps the chained streams bounded: what verifies is archived, what does not stays, and people are told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from console.domain.errors import Refused, UsageError
from console.guard.keep.archivist import Archivist
from console.guard.keep.charge import Charge
from console.guard.run.process import Guard
from console.guard.setup.file import load
from console.guard.setup.options import GuardOptions
from console.guard.setup.settings import ArchiveSettings, GuardFile
from console.logs.options import LogOptions
from console.store.fence.archive_file import read_archive
from console.store.fence.calls import SwitchRequest
from tests.guard.stage import Stage


def archivist(stage: Stage, folder: Path, name: str = "g1") -> Archivist:
    charge = Charge(name, stage.fence, stage.state, stage.tell)
    return Archivist(charge, ArchiveSettings(folder, keep=2), stage.clock)


async def busy(stage: Stage) -> None:
    for target in ("blue", "green", "blue", "green"):
        await stage.fence.switch(SwitchRequest(target, expected_epoch="any", mode="now", by="op"))


async def test_what_is_old_goes_into_files_and_only_one_guard_a_minute_does_it(stage: Stage, tmp_path: Path) -> None:
    await busy(stage)
    await archivist(stage, tmp_path / "a").turn()
    assert await stage.client.xlen(stage.keys.log) == 2
    assert len(list(read_archive(tmp_path / "a" / "agent-log.jsonl"))) == 6
    assert stage.told[-1]["event"] == "archived"
    await busy(stage)
    await archivist(stage, tmp_path / "a", "g2").turn()
    assert await stage.client.xlen(stage.keys.log) == 6


async def test_a_chain_that_does_not_verify_is_not_trimmed_and_one_alert_says_so(stage: Stage, tmp_path: Path) -> None:
    await busy(stage)
    entries: Any = await stage.client.xrange(stage.keys.log)
    await stage.client.xdel(stage.keys.log, entries[1][0])
    keeper = archivist(stage, tmp_path / "a")
    for _ in range(2):
        with pytest.raises(Refused, match="1 entry is missing"):
            await keeper.turn()
    assert await stage.client.xlen(stage.keys.log) == 5
    assert ["1 entry is missing" in alert.reason for alert in await stage.alerts()] == [True]


async def test_a_run_is_begun_once_and_what_went_wrong_is_told(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("no folder")
    keeper = archivist(stage, tmp_path / "a")
    keeper.begin()
    keeper.begin()
    run = keeper._run
    assert run is not None
    await run
    keeper.begin()
    assert keeper._run is run
    assert keeper.problem
    assert stage.events().count("not archived") == 1
    await keeper.aclose()


def test_the_guards_file_names_the_folder(tmp_path: Path) -> None:
    file = tmp_path / "guard.toml"
    file.write_text('[archive]\nfolder = "/srv/archive"\nkeep = 500\n')
    assert load(file).archive == ArchiveSettings(Path("/srv/archive"), 500)
    assert load(None).archive.folder is None
    file.write_text('[archive]\nfolder = "/srv/archive"\nkeep = -1\n')
    with pytest.raises(UsageError, match="keep"):
        load(file)


async def test_a_guard_whose_file_names_a_folder_archives_beside_its_housekeeping(stage: Stage, tmp_path: Path) -> None:
    await busy(stage)
    file = GuardFile(archive=ArchiveSettings(tmp_path / "a", keep=2))
    options = GuardOptions(stage.url, "agent", (str(stage.log),), LogOptions(), file, name="g9", clock=stage.clock)
    guard = Guard(options, tell=stage.tell)
    await guard.open()
    try:
        for _ in range(200):
            if "archived" in stage.events():
                break
            await asyncio.sleep(0.02)
        assert await stage.client.xlen(stage.keys.log) == 2
    finally:
        await guard.aclose()
