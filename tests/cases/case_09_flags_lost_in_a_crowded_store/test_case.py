"""Flags beside very many keys of others: shown whole, or said to be unread; a restore deletes none of them.

From arturictus/sidekiq_alive#69, mediocregopher/radix#232, joeferner/redis-commander#97.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.cli.conftest import Cli
from tests.servers import Server

FLAGS = [f"custom_limit_{number}" for number in range(1, 9)]
FOREIGN = 400_000
STEP = 20_000
FILL = "for i=ARGV[1]+1,ARGV[2] do redis.call('set','celery-task-meta-'..i,'x') end"
EMPTY = "for i=ARGV[1]+1,ARGV[2] do redis.call('unlink','celery-task-meta-'..i) end"


def test_no_flag_is_lost_in_a_crowded_store(cli: Cli, valkey_server: Callable[..., Server]) -> None:
    server = valkey_server(appendonly="no")

    def call(script: str) -> None:
        for begin in range(0, FOREIGN, STEP):  # a busy machine takes long for all in one call
            server.command("EVAL", script, "0", str(begin), str(begin + STEP))

    call(FILL)
    for flag in FLAGS:
        server.command("SET", f"flag:{flag}", "1")
    assert cli("switch", "blue", "--yes", url=server.url).code == 0

    listed = cli("flag", "list", url=server.url)
    assert all(flag in listed.out for flag in FLAGS) or "not all read" in listed.out + listed.err
    status = cli("status", url=server.url)
    assert f"✔ flags     {len(FLAGS)} set" in status.out or "not all read" in status.out

    taken = cli("snapshot", "take", "--json", url=server.url)
    call(EMPTY)
    if taken.code == 0:
        number = taken.json["changes"][0]["after"]
        shown = cli("snapshot", "show", number, url=server.url).out
        assert all(flag in shown for flag in FLAGS)
        cli("snapshot", "restore", number, "--yes", url=server.url)
    else:
        assert "not all read" in taken.err + taken.out
    left = server.command("EVAL", "return #redis.call('keys', 'flag:custom_*')", "0")
    assert left == str(len(FLAGS))
