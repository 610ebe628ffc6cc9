"""A page is put together of pieces: only what changed is put into words, and it reads as one that was made at once."""

from __future__ import annotations

import threading

import pytest

from console.domain.triggers.finding import Trigger, Verdict
from console.guard.metrics.exposition import OPEN_METRICS, Pages
from console.guard.metrics.server import MetricsServer, listening
from console.guard.watch.feed import Counts
from tests.guard.metrics.sights import NOW, NOW_S, Scene, finding, look, sight
from tests.guard.metrics.test_server import asked

AGENTS = 12
FORMATS = ("", OPEN_METRICS)


def fleet() -> Scene:
    return Scene(*(sight(f"a{number}") for number in range(AGENTS)))


def anew(scene: Scene, accept: str) -> list[bytes]:
    """What a page says that nothing was kept for, but for the process's own samples, which change by themselves."""
    pages = Pages(scene.gathered, lambda: NOW, now_s=lambda: scene.now_s)
    return told(pages.page(accept).body)


def told(body: bytes) -> list[bytes]:
    return [line for line in body.split(b"\n") if b"process_" not in line]


def again(scene: Scene, accept: str = "") -> int:
    """One more page, which reads as one made anew; how many samples of agents were put into words for it."""
    before = scene.pages.worded
    scene.pages.forget()
    assert told(scene.pages.page(accept).body) == anew(scene, accept)
    return scene.pages.worded - before


@pytest.mark.parametrize("accept", FORMATS)
def test_what_an_agents_samples_said_stands_until_they_say_something_else(accept: str) -> None:
    scene = fleet()
    first = again(scene, accept)
    assert first > 50 * AGENTS
    assert again(scene, accept) == 0
    scene.gathered.sights["a7"] = sight("a7", counts=Counts(11, 0, 0, 0, 0))
    assert again(scene, accept) == 1
    scene.gathered.sights["a7"] = sight("a7", look=(look(finding(Trigger.PNL, Verdict.HARM)), NOW_S))
    assert 1 < again(scene, accept) < first / AGENTS
    scene.now_s += 1.0
    assert again(scene, accept) < 8 * AGENTS, "the ages alone"


@pytest.mark.parametrize("accept", FORMATS)
def test_who_comes_who_goes_and_who_comes_back_is_told_in_the_place_of_its_own(accept: str) -> None:
    scene = fleet()
    again(scene, accept)
    gone = scene.gathered.sights.pop("a3")
    assert again(scene, accept) == 0
    scene.gathered.sights = {"first": sight("first"), **scene.gathered.sights, "a3": gone}
    assert again(scene, accept) > 100
    scene.gathered.sights = dict(reversed(scene.gathered.sights.items()))
    assert again(scene, accept) == 0
    scene.gathered.sights.clear()
    assert again(scene, accept) == 0


def test_a_rendering_that_fails_on_its_way_leaves_nothing_half_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = fleet()
    again(scene)
    scene.gathered.sights["a7"] = sight("a7", counts=Counts(11, 0, 0, 0, 0))
    scene.pages.forget()
    with monkeypatch.context() as broken:
        broken.setattr("console.guard.metrics.pieces._FAMILY", None)
        with pytest.raises(AttributeError):
            scene.pages.page()
    assert again(scene) == 1


def test_scrapers_without_a_pause_share_one_rendering_of_each_format() -> None:
    scene = fleet()
    server = MetricsServer(listening("127.0.0.1", 0), scene.pages)
    server.start()
    answers: list[int] = []

    def scrape(number: int) -> None:
        words = (f"Accept: {OPEN_METRICS}",) if number % 2 else ("Accept-Encoding: gzip",)
        answers.extend(asked(server, "Host: localhost", *words)[0] for _ in range(6))

    scrapers = [threading.Thread(target=scrape, args=(number,)) for number in range(8)]
    try:
        for one in scrapers:
            one.start()
        for one in scrapers:
            one.join()
    finally:
        server.close()
    assert answers == [200] * 48
    assert scene.pages.rendered == 2


def test_both_formats_together_take_no_more_of_the_time_than_one() -> None:
    scene = fleet()
    for accept in FORMATS:
        scene.pages.page(accept)
    scene.now_s += 1.5  # both are old enough
    slow = iter((scene.now_s, scene.now_s, scene.now_s + 4.0))  # asked, as its ages have it, rendered
    scene.pages._now_s = lambda: next(slow, scene.now_s)
    scene.pages.page()
    scene.now_s += 23.9
    for accept in FORMATS:
        scene.pages.page(accept)
    assert scene.pages.rendered == 3
    scene.now_s += 0.2
    scene.pages.page(OPEN_METRICS)
    assert scene.pages.rendered == 4
