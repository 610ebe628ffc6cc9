"""Servers as people run them, each begun when it is asked for, with the URL by which it is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from console.store.acl import Role, rules
from tests import ROOT
from tests.cli.test_managed import AWAY
from tests.clusters import Cluster
from tests.servers import Server, free_port, programs, version
from tests.topologies import Sentinels

TLS: Final = ROOT / "tests/store/server/tls"
PASSWORD: Final = "s3cret%20word"


class Stage(NamedTuple):
    """A kind of server that runs.

    Args:
        url: by which it is named.
        runs: what it says it is.
        replicas: that have to have a claim before it is acted on.
        promised: whether it hides what money has to know, and an operator has to promise it.
        roles: by which agents and guards name it, where they have users of their own.
    """

    url: str
    runs: str
    replicas: int = 0
    promised: bool = False
    roles: Mapping[str, str] = MappingProxyType({})

    def url_of(self, role: str) -> str:
        """By which an agent, or a guard, names it."""
        return self.roles.get(role, self.url)


@contextmanager
def _one(folder: Path, program: Path, url: str = "{unix}", promised: bool = False, **options: str) -> Iterator[Stage]:
    """One server; `{unix}`, `{port}` and `{password}` in the URL stand for its own."""
    port = str(free_port())
    given = {name.replace("_", "-"): value.replace("{port}", port) for name, value in options.items()}
    server = Server(folder, given, program).start()
    try:
        words = {"unix": server.url, "socket": str(server.socket), "port": port, "password": PASSWORD}
        yield Stage(url.format(**words), version(program), promised=promised)
    finally:
        server.kill()


@contextmanager
def _least_rights(folder: Path, program: Path) -> Iterator[Stage]:
    """Users with what `acl` prints and nothing else; the default one is off."""
    server = Server(folder, {}, program).start()
    try:
        for role in Role:
            server.command("ACL", "SETUSER", role, "reset", "on", ">pw", *rules(role, every=True).words)
        server.command("ACL", "SETUSER", "default", "off")
        urls = {role.value: f"unix://{role}:pw@{server.socket}" for role in Role}
        yield Stage(urls["operator"], f"{version(program)}, users with what `acl` prints", roles=urls)
    finally:
        server.kill()


@contextmanager
def _sentinels(folder: Path, program: Path, **options: str) -> Iterator[Stage]:
    sentinels = Sentinels(folder, program=program, options=options)
    try:
        yield Stage(sentinels.url, f"{version(program)}, 3 Sentinels, 2 replicas", 1)
    finally:
        sentinels.stop()


@contextmanager
def _cluster(folder: Path, program: Path, *, named_by_a_node: bool = False, **options: str) -> Iterator[Stage]:
    cluster = Cluster(folder, replicas=1, program=program, options=options)
    try:
        url = cluster.url_of(cluster.nodes[1]) if named_by_a_node else cluster.url
        yield Stage(url, f"{version(program)}, 3 primaries with a replica each", 1)
    finally:
        cluster.stop()


Kind = Callable[[Path], AbstractContextManager[Stage]]


def kinds() -> dict[str, Kind]:
    """What this machine can run, the one that all others are held to first."""
    there = programs()
    ours = there["valkey"]
    found: dict[str, Kind] = {
        "valkey": lambda folder: _one(folder, ours),
        "password, TCP": lambda folder: _one(
            folder, ours, "valkey://:{password}@127.0.0.1:{port}/1", port="{port}", requirepass="s3cret word"
        ),
        "managed": lambda folder: _one(folder, ours, promised=True, rename_command=AWAY),
        "least rights": lambda folder: _least_rights(folder, ours),
        "sentinel": lambda folder: _sentinels(folder, ours),
        "cluster": lambda folder: _cluster(folder, ours),
        "a cluster's node": lambda folder: _cluster(folder, ours, named_by_a_node=True),
    }
    old = {"rename-command": "HELLO"}  # as far as a client can tell, they speak RESP2 alone
    found["RESP2"] = lambda folder: _one(folder, ours, rename_command="HELLO")
    found["RESP2, sentinel"] = lambda folder: _sentinels(folder, ours, **old)
    found["RESP2, cluster"] = lambda folder: _cluster(folder, ours, named_by_a_node=True, **old)
    for name in ("redis-8", "redis-system"):
        if name in there:
            found[name] = lambda folder, program=there[name]: _one(folder, program)  # type: ignore[misc]
    if "redis-system" in there:  # the one among them that is built with TLS
        cert, key = TLS / "cert.pem", TLS / "key.pem"
        found["mutual TLS"] = lambda folder: _one(
            folder,
            there["redis-system"],
            f"rediss://localhost:{{port}}?ssl_ca_certs={cert}&ssl_certfile={cert}&ssl_keyfile={key}",
            tls_port="{port}",
            tls_cert_file=str(cert),
            tls_key_file=str(key),
            tls_ca_cert_file=str(cert),
        )
    return found
