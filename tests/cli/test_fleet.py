"""`fleet` and `fleet halt`; and a console that goes through agents and profiles of real stores, and leaves nothing
open."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from pathlib import Path

import pytest
import redis

from console.app import ConsoleApp
from console.cli.attach import ui_settings
from console.cli.attaching import Attaching
from console.cli.main import run
from console.cli.options import Session
from console.domain.errors import EXIT_DONE, EXIT_NO, EXIT_REFUSED, EXIT_USAGE
from console.domain.seen.observation import LinkState
from console.screens.places.fleet import FleetScreen
from console.store.agents import listed
from console.store.keys import Keys
from console.store.reading.search_mark import SearchMark, mark_key, write_command
from tests.servers import Server
from tests.waiting import until_async


def plain(client: redis.Redis, *names: str, value: str = "blue") -> None:
    for name in names:
        client.set(Keys.of(name).active, value)


@pytest.fixture
def sync(store_url: str, valkey: object) -> redis.Redis:
    return redis.Redis(unix_socket_path=store_url.removeprefix("unix://").partition("?")[0])


def test_every_agent_is_printed_as_text_as_json_and_as_csv_and_the_exit_code_says_whether_all_are_well(
    store_url: str, sync: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    plain(sync, "atlas", "bree")
    assert run(["fleet", "--url", store_url]) == EXIT_DONE
    assert "2 ACTIVE" in capsys.readouterr().out
    plain(sync, "cleo", value="halted")
    assert run(["fleet", "--url", store_url, "--json"]) == EXIT_NO
    document = json.loads(capsys.readouterr().out)
    assert [(one["agent"], one["state"]) for one in document["agents"]] == [
        ("atlas", "ACTIVE"),
        ("bree", "ACTIVE"),
        ("cleo", "HALTED"),
    ]
    assert document["complete"]
    assert run(["fleet", "--url", store_url, "--csv"]) == EXIT_NO
    assert capsys.readouterr().out.splitlines()[1].startswith("atlas,ACTIVE,blue")
    out = ["--format", "json", "--url", store_url]
    assert run(["export", "--screen", "fleet", *out]) == EXIT_DONE
    assert [one["agent"] for one in json.loads(capsys.readouterr().out)["agents"]] == ["atlas", "bree", "cleo"]


def test_all_are_halted_by_a_typed_word_alone_and_some_by_name(
    store_url: str, sync: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    plain(sync, "atlas", "bree", "cleo")
    to = ["--url", store_url]
    for refused in (["--all"], ["--all", "--yes"], ["--all", "--yes-all", "halt 2"], [], ["atlas"]):
        assert run(["fleet", "halt", *refused, *to]) != EXIT_DONE
    assert {sync.get(Keys.of(name).active) for name in ("atlas", "bree", "cleo")} == {b"blue"}
    assert run(["fleet", "halt", "atlas", "nobody", "--yes", "--json", *to]) == EXIT_NO
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [(one["agent"], one["done"]) for one in told] == [("nobody", False), ("atlas", True)]
    assert sync.get(Keys.of("bree").active) == b"blue"
    assert run(["fleet", "halt", "--all", "--yes-all", "halt 3", *to]) == EXIT_DONE
    assert {sync.get(Keys.of(name).active) for name in ("atlas", "bree", "cleo")} == {b"halted"}
    assert run(["fleet", "halt", "--all", "atlas", *to]) == EXIT_USAGE


def searched_elsewhere(client: redis.Redis) -> str:
    """Another process is at the search, and has looked at a quarter of the keys; the key of its mark."""
    run_id, (seconds, _micros) = client.info("server")["run_id"], client.time()
    mark = SearchMark(form=0, cursor=7, looked=1_000, keys=4_000, at_ms=seconds * 1000, holder="another")
    client.execute_command(*write_command(run_id, mark))
    return mark_key(run_id)


def test_halting_all_ends_with_1_while_the_search_is_not_finished_and_says_how_far_it_is(
    store_url: str, sync: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    plain(sync, "hidden")
    mark, to = searched_elsewhere(sync), ["--url", store_url]
    assert run(["fleet", "halt", "--all", "--yes-all", "halt 0", *to]) == EXIT_REFUSED
    assert "25 % of the keys were searched" in capsys.readouterr().err
    plain(sync, "atlas")
    sync.execute_command(*listed("atlas"))
    assert run(["fleet", "halt", "--all", "--yes-all", "halt 1", *to]) == EXIT_NO
    told = capsys.readouterr()
    assert "✔ atlas" in told.out
    assert "25 % of the keys were searched" in told.err
    assert (sync.get(Keys.of("atlas").active), sync.get(Keys.of("hidden").active)) == (b"halted", b"blue")
    sync.delete(mark)
    assert run(["fleet", "halt", "--all", "--yes-all", "halt 2", *to]) == EXIT_DONE
    assert sync.get(Keys.of("hidden").active) == b"halted"


def write_config(folder: Path, url: str, dead: str) -> Path:
    logs = folder / "{agent}.jsonl"
    for name in ("atlas", "bree"):
        (folder / f"{name}.jsonl").write_text("")
    file = folder / "config.toml"
    file.write_text(
        f'url = "{url}"\nagent = "atlas"\ndecisions = ["{logs}"]\n'
        f'[profiles.prod]\nagent = "bree"\nprotected = true\n[profiles.dead]\nurl = "{dead}"\n'
    )
    return file


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_a_console_goes_through_agents_and_profiles_and_leaves_nothing_open(
    short_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(short_dir, {}).start()
    session = Session({"config": str(write_config(tmp_path, server.url, "redis://127.0.0.1:1/0")), "url": server.url})
    monkeypatch.setenv("AGENT_CONSOLE_AGENT", "atlas")
    try:
        with redis.Redis(unix_socket_path=str(server.socket)) as client:
            plain(client, "atlas", "bree", "cleo")
        settings = session.settings()
        attaching = Attaching(session, settings, server.url)
        first = attaching.attach(settings, server.url)
        app = ConsoleApp(
            first.source,
            first.operator,
            ui_settings(settings),
            boards=first.boards,
            fleet=first.fleet,
            attachments=attaching,
        )
        app.attached = first

        def on(agent: str, state: LinkState = LinkState.LIVE) -> bool:
            now = app.observation
            return not app.changing and now is not None and now.agent == agent and now.link.state is state

        def files_of(name: str) -> bool:
            logs = app.observation.logs if app.observation is not None else None
            return logs is not None and [Path(file.path).name for file in logs.files] == [f"{name}.jsonl"]

        async with app.run_test(size=(100, 30)) as pilot:
            await until_async(lambda: on("atlas") and files_of("atlas"))
            await pilot.press("0")
            await until_async(lambda: len(attaching.agents) == 3)
            before = 0
            for turn in range(4):
                app.submit("agent bree")
                await until_async(lambda: on("bree") and files_of("bree"))
                app.submit("agent atlas")
                await until_async(lambda: on("atlas") and files_of("atlas"))
                if turn == 1:
                    before = open_files()
            assert open_files() <= before + 1
            readers = [thread for thread in threading.enumerate() if thread.name == "log reader"]
            assert len(readers) <= 4, "of the agent before, and of this one"
            app.submit("profile prod")
            await until_async(lambda: on("bree"))
            assert app.observation is not None
            assert app.observation.locked
            app.submit("unlock prod")
            await until_async(lambda: app.observation is not None and not app.observation.locked)
            app.submit("profile dead")
            await until_async(lambda: app.settings.profile == "dead" and app.observation is not None)
            await until_async(lambda: on("atlas", LinkState.RECONNECTING) or on("atlas", LinkState.OFFLINE))
            await pilot.press("0")
            await until_async(lambda: isinstance(app.screen, FleetScreen) and bool(app.fleet.seen.problem))
            app.submit("profile prod")
            await until_async(lambda: on("bree"))
            assert app.observation.locked, "a protected profile starts locked again"
        assert app.attached is not None
        await app.attached.aclose()
        await attaching.aclose()
        await asyncio.sleep(0)
        with redis.Redis(unix_socket_path=str(server.socket)) as client:
            await until_async(lambda: len(client.client_list()) == 1)
    finally:
        server.kill()
