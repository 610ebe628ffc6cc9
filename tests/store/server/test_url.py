"""A store's URL: one server, Sentinels, a Cluster; what means nothing is refused, and no password is repeated."""

from __future__ import annotations

import pytest

from console.domain.errors import UsageError
from console.store.server.url import Endpoint, Node, parse_url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://localhost", "http://"),
        ("localhost:6379", "without a scheme"),
        ("redis://host:notaport/0", "host or port"),
        ("redis://host:99999/0", "host or port"),
        ("redis://localhost/notanumber", "not a number"),
        ("redis://localhost/-1", "not a number"),
        ("redis://localhost?socket_timeout=4", "'socket_timeout' is not an option"),
        ("redis://localhost?ssl_ca_certs=x", "is not an option"),
        ("unix://", "names no socket"),
        ("unix://relative/path", "three slashes"),
        ("redis://localhost/0\n", "control characters"),
        ("\x1b[31mredis://localhost", "control characters"),
        ("", "without a scheme"),
        ("redis://a,b,c", "several servers"),
        ("redis://localhost/0/1", "a path that means nothing"),
        ("redis+sentinel://a,b,c", "by which name"),
        ("redis+sentinel://a,,c/mymaster", "without a host"),
        ("redis+sentinel://a/mymaster/x", "not a number"),
        ("redis+sentinel://a/mymaster/0/1", "a path that means nothing"),
        ("redis+cluster://a,b/1", "database 0 alone"),
        ("redis+cluster://a,b?db=2", "database 0 alone"),
        ("redis+cluster://a,b:99999", "host or port"),
        ("redis+cluster://" + ",".join(f"h{n}" for n in range(65)), "more than 64 servers"),
        ("redis+cluster://a?sentinel_password=x", "'sentinel_password' is not an option of a redis+cluster:// URL"),
        ("unix+sentinel:///a/mymaster", "unix+sentinel://"),
    ],
)
def test_a_url_that_means_nothing_is_a_usage_error_with_an_example(url: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_url(url)
    assert said in str(caught.value)
    assert caught.value.hint
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hunter2@host:port",
        "ftp://u:hunter2@host",
        "redis://:hunter2@h/x?y=1",
        "redis://:hunter2@a,b",
        "redis+sentinel://:hunter2@a,b",
        "redis+sentinel://a,b?sentinel_password=hunter2",
        "redis+cluster://:hunter2@a,b:port",
    ],
)
def test_a_usage_error_never_repeats_the_password(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_url(url)
    assert "hunter2" not in str(caught.value)


def test_the_parts_of_a_url_are_percent_decoded() -> None:
    endpoint = parse_url("unix:///a%20b/c.sock?db=2")
    assert (endpoint.path, endpoint.db) == ("/a b/c.sock", 2)
    assert parse_url("redis://u%40x:p%2Fw@example.net").username == "u@x"
    assert parse_url("redis://u:p%2Fw@example.net").password == "p/w"
    assert parse_url("redis://").nodes == (Node("localhost", 6379),)
    assert parse_url("redis://[::1]:7000/4").nodes == (Node("::1", 7000),)


def test_an_endpoint_does_not_show_its_password() -> None:
    assert "hunter2" not in repr(parse_url("redis://u:hunter2@host"))


@pytest.mark.parametrize(
    "url",
    [
        "redis://:57#Wc903z@127.0.0.1:6379/0",
        "redis://ops:57/Wc903z@127.0.0.1:6379/0",
        "redis://:pa?Wc903z@127.0.0.1:6379/0",
        "rediss://ops:a/b#Wc903z@ops-1/0",
        "unix://ops:57/Wc903z@/run/store.sock",
        "redis://127.0.0.1:6379/0?password=57#Wc903z",
        "redis+sentinel://ops:57/Wc903z@a:26379,b/mymaster",
        "redis+cluster://:a?Wc903z@a:7000,b:7001",
    ],
)
def test_a_raw_mark_in_a_password_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_url(url)
    assert "%23" in refused.value.hint
    assert "Wc903z" not in f"{refused.value} {refused.value.hint}"


def test_marks_that_are_written_as_such_are_part_of_the_password() -> None:
    assert parse_url("redis://ops:57%23%2F%3F%40x@ops-1:6380/2").password == "57#/?@x"
    assert parse_url("redis://ops-1:6380/2?password=a@b").password == "a@b"
    assert parse_url("unix:///run/a@b.sock").path == "/run/a@b.sock"


@pytest.mark.parametrize("name", ["redis", "valkey"])
@pytest.mark.parametrize(("ending", "tls"), [("", False), ("s", True)])
def test_valkey_means_what_redis_means(name: str, ending: str, tls: bool) -> None:
    assert parse_url(f"{name}{ending}://ops-1:7000/3") == Endpoint(
        "rediss" if tls else "redis", nodes=(Node("ops-1", 7000),), db=3
    )


def test_a_sentinels_url_names_every_sentinel_the_store_and_the_users_of_both() -> None:
    told = "rediss+sentinel://app:p%2Cw@a,b:26380,[::1]:5/orders/2?sentinel_username=s&sentinel_password=q&ssl_ca_certs=/ca"
    assert parse_url(told) == Endpoint(
        "rediss",
        "sentinel",
        nodes=(Node("a", 26379), Node("b", 26380), Node("::1", 5)),
        master="orders",
        db=2,
        username="app",
        password="p,w",
        sentinel_username="s",
        sentinel_password="q",
        tls={"ssl_ca_certs": "/ca"},
    )
    assert "p,w" not in repr(parse_url(told)) and "'q'" not in repr(parse_url(told))


def test_a_clusters_url_names_some_of_its_nodes() -> None:
    assert parse_url("valkey+cluster://:word@a,b:7001,a/0") == Endpoint(
        "redis", "cluster", nodes=(Node("a", 6379), Node("b", 7001)), password="word"
    )
