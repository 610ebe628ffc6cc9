"""The protocol's vectors, `docs/vectors.json`: `python -m tests.generate.vectors [--check]`.

Each declared case (`tests/generate/cases`) is played against a real Valkey; what it answered is written down, with
placeholders for what depends on time or chance. What a number is told by where it stands: an epoch, a moment of the
server's clock, or one of the steady clock.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests import ROOT
from tests.generate.cases import actions, beside, control, manifests, memory, owing, states, window
from tests.generate.cases.language import Arg, Call, Case, Of, Step
from tests.protocol_client import FOLDER, KINDS, PLACEHOLDER, ByHash, Connection, Reply, empty, run
from tests.servers import Server

PATH: Final = ROOT / "docs" / "vectors.json"
CASES: Final = (
    *actions.CASES,
    *control.CASES,
    *memory.CASES,
    *beside.CASES,
    *owing.CASES,
    *manifests.CASES,
    *states.CASES,
    *window.CASES,
)
ABOUT: Final = {
    "what": "Start states, calls and replies of every script of docs/protocol.md, which says how they are played.",
    "made by": "python -m tests.generate.vectors",
}

_STATE: Final = {1: "epoch", 7: "ms", 11: "ms", 12: "epoch"}
_MOVED: Final = _STATE | {14: "epoch"}
_REPLIES: Final[dict[str, dict[int, str]]] = {
    "claim": {1: "epoch", 2: "ms", 3: "ms"},
    "settle": {1: "epoch"},
    "resolve": {1: "epoch"},
    "switch": _MOVED,
    "halt": _MOVED,
    "beat": _STATE | {22: "steady"},
    "trip": _STATE,
    "restrain": _STATE,
    "limits": _STATE,
    "lease": {},
    "flag": {3: "ms"},
    "canary": {7: "ms", 8: "ms"},
    "book": {2: "ms"},
    "document": {2: "ms"},
    "receipt": {},
    "owe": {1: "epoch"},
    "state": {2: "ms", 3: "epoch"},
}
"""What a number of 13 digits is, by script and place in its reply."""
_IDS: Final = {
    "trip": {13: "log"},
    "switch": {13: "log", 16: "audit"},
    "halt": {13: "log", 16: "audit"},
    "beat": {13: "log", 17: "acts", 20: "log"},
    "flag": {4: "audit"},
    "canary": {10: "audit"},
    "document": {3: "audit"},
    "receipt": {0: "audit"},
}
"""The stream of which an id is, by script (`trip` for any other) and place in its reply."""
_FIELDS: Final = {
    "ep": "epoch",
    "ten": "epoch",
    "epoch": "epoch",
    "seen": "epoch",
    "why": "epoch",
    "ts": "ms",
    "ms": "ms",
    "dl": "ms",
    "since": "ms",
    "lifted_ms": "ms",
    "began": "ms",
    "taken": "ms",
    "at": "ms",
    "until": "ms",
    "b_day": "day",
}
"""The same by the name of a field."""
_RECORDS: Final = {
    "open": {3: "epoch", 4: "ms", 5: "ms", 6: "steady"},
    "done": {3: "epoch", 4: "ms", 5: "ms"},
    "owed": {3: "epoch", 4: "ms"},
    "sent": {0: "ms", 1: "steady"},
    "d": {2: "ms", 7: "epoch", 8: "ms"},
    "kept": {1: "ms", 4: "epoch"},
    "taken": {2: "epoch", 3: "ms"},
}
"""The same by line of a record."""
_BEFORE_DURATIONS: Final = ("moved by -", "a heartbeat of ")
_LETTERS: Final = {"epoch": "E", "ms": "M", "steady": "S", "id": "I", "sha1": "H"}
_VARYING: Final = re.compile(
    r"(?<!\d)\d{13}-\d+|(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])|(?<![\d.])\d{13}(?![\d.])"
    r"|(?<=moved by -)\d+|(?<=a heartbeat of )\d+"
)


class Writer:
    """Writes one case's replies with placeholders: the same value is the same name, within its kind."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str, str], str] = {}

    def text(self, text: str, kind: str = "", stream: str = "") -> str:
        """A text with its varying parts as placeholders.

        Args:
            text: as the store gave it.
            kind: what a number of 13 digits in it is.
            stream: of which an id in it is; those of two streams may be equal by chance.

        Raises:
            ValueError: there is one, and nobody knows what it is.
        """

        def placeholder(match: re.Match[str]) -> str:
            value = match[0]
            if match.string[: match.start()].endswith(_BEFORE_DURATIONS):
                return "<duration>"
            if value.startswith("0" * 13) or value == "9999999999999" or value == "1750000000000":
                return value
            what = "id" if "-" in value else "sha1" if len(value) == 40 else kind
            if not what:
                raise ValueError(f"What is {value} in {text!r}?")
            return self._named(what, value, stream)

        return f"<{kind}>" if kind in ("day", "duration") and text.isdigit() else _VARYING.sub(placeholder, text)

    def _named(self, kind: str, value: str, stream: str) -> str:
        thing = (kind, value, stream if kind == "id" else "")
        if name := self._names.get(thing):
            return f"<same:{name}>"
        self._names[thing] = f"{kind}_{len(self._names) + 1}"
        return f"<{kind}:{self._names[thing]}>"

    def record(self, text: str, kind: str) -> str:
        """A record, line by line."""
        kinds = _RECORDS[kind]
        return "\n".join(self.text(line, kinds.get(index, "")) for index, line in enumerate(text.split("\n")))

    def script(self, name: str, reply: Reply, lasting: int) -> Reply:
        """The reply of a script."""
        if not isinstance(reply, list):
            return reply
        if name == "state":
            first = [self.text(part, _REPLIES[name].get(index, "")) for index, part in enumerate(reply[:4])]
            return [*first, self.record(reply[4], "kept"), self.record(reply[5], "taken"), *reply[6:]]
        kinds, streams = _REPLIES[name], _IDS.get(name, _IDS["trip"])
        if reply[0] == "DONE" and name == "claim":
            return [reply[0], self.text(reply[1], "epoch"), self.record(reply[2], "done"), *reply[3:]]
        return [
            self.text(part, "duration" if index == lasting else kinds.get(index, ""), streams.get(index, ""))
            for index, part in enumerate(reply)
        ]

    def command(self, words: tuple[str, ...], reply: Reply) -> Reply:
        """The reply of a plain command."""
        name, key = words[0], words[1] if len(words) > 1 else ""
        if reply is None or isinstance(reply, dict):
            return reply
        if name == "HMGET":
            return [
                one if one is None else self.text(one, _FIELDS.get(field, ""))
                for field, one in zip(words[2:], reply, strict=True)
            ]
        if name in ("XRANGE", "XREVRANGE"):
            return [[self.text(entry[0], stream=key.rpartition(":")[2]), self._pairs(entry[1])] for entry in reply]
        if name == "HGET" and key.endswith(":open"):
            return self.record(reply, "open")
        if name == "HGET" and key.endswith(":owed"):
            return self.record(reply, "owed")
        if name == "HGET" and key.endswith(":manifests"):
            return self.text(reply, "ms")
        if name == "HGET" and key.endswith(":inst"):
            return re.sub(
                r'"(ms|st|epoch)":(\d+)',
                lambda match: f'"{match[1]}":{self.text(match[2], "steady" if match[1] == "st" else match[1])}',
                reply,
            )
        if name == "GET" and ":done:" in key:
            return self.record(reply, "done")
        if name == "GET" and ":sent:" in key:
            return self.record(reply, "sent")
        if name == "PTTL":
            return "<duration>"
        if isinstance(reply, list):
            return [self.text(one, "ms") for one in reply]
        return self.text(reply, "") if isinstance(reply, str) else reply

    def _pairs(self, pairs: list[str]) -> list[str]:
        written: list[str] = []
        for name, value in zip(pairs[::2], pairs[1::2], strict=True):
            written += [name, self.record(value, "d") if name == "d" else self.text(value, _FIELDS.get(name, ""))]
        return written


def played(case: Case, connection: Connection) -> dict[str, Any]:
    """One case as the server answered it.

    Raises:
        ValueError: the answer has another code than the case is named after.
    """
    empty(connection)
    caller, writer = ByHash(connection), Writer()
    given: list[dict[str, Any]] = []
    plain: list[Reply] = []

    def play(step: Step, number: int, lasting: int = -1) -> dict[str, Any]:
        time.sleep(0.002)  # what happens after is later: equal moments are the same moment
        if isinstance(step, Call):
            shown = [*(_shown(arg, given) for arg in step.args), f"call-{number + 1}"]
            sent = [*(plain[arg.step][arg.element] if isinstance(arg, Of) else arg for arg in step.args), shown[-1]]
            written: dict[str, Any] = {"script": step.script, "keys": list(step.keys), "args": shown}
            reply = run({**written, "args": sent}, connection, caller, {})
            plain.append(reply)
            return {**written, "reply": writer.script(step.script, reply, lasting)}
        reply = connection.command(*step.words)
        plain.append(reply)
        return {"command": list(step.words), "reply": writer.command(step.words, reply)}

    for number, step in enumerate(case.given):
        given.append(play(step, number))
    call = play(case.call, len(given), case.lasting)
    code, colon, _ = case.name.partition(":")
    if code.isupper() and colon and plain[-1][0] != code:
        raise ValueError(f"{call['script']}, {case.name}: {plain[-1]}")
    then = [play(step, len(given) + 1 + number) for number, step in enumerate(case.then)]
    reply = call.pop("reply")
    return _short({"name": case.name, "given": given, "call": call, "reply": reply, "then": then})


def _shown(arg: Arg, given: list[dict[str, Any]]) -> str:
    if not isinstance(arg, Of):
        return arg
    text: str = given[arg.step]["reply"][arg.element]
    return PLACEHOLDER.sub(lambda match: f"<same:{match[2]}>", text)


def _short(case: dict[str, Any]) -> dict[str, Any]:
    """A case without the names that are used once; the others are numbered in their order."""
    text = json.dumps(case)
    used = [match[2] for match in PLACEHOLDER.finditer(text) if match[1] == "same"]
    names: dict[str, str] = {}
    for match in PLACEHOLDER.finditer(text):
        if match[1] != "same" and match[2] in used:
            letter = _LETTERS[match[1]]
            names[match[2]] = f"{letter}{1 + sum(name.startswith(letter) for name in names.values())}"

    def renamed(match: re.Match[str]) -> str:
        if match[2] is None or match[2] not in names:
            return f"<{match[1]}>"
        return f"<{match[1]}:{names[match[2]]}>"

    short: dict[str, Any] = json.loads(PLACEHOLDER.sub(renamed, text))
    return short


def laid_out(cases: list[dict[str, Any]]) -> str:
    """The document: a line a step."""
    lines = ["{", *(f"  {_json(name)}: {_json(text)}," for name, text in ABOUT.items())]
    lines += [f'  "placeholders": {_json(dict(KINDS))},', '  "cases": [']
    for case in cases:
        steps = {
            name: (
                "[" + ",".join(f"\n        {_json(step)}" for step in case[name]) + ("\n      ]" if case[name] else "]")
            )
            for name in ("given", "then")
        }
        lines += [
            "    {",
            f'      "name": {_json(case["name"])},',
            f'      "given": {steps["given"]},',
            f'      "call": {_json(case["call"])},',
            f'      "reply": {_json(case["reply"])},',
            f'      "then": {steps["then"]}',
            "    },",
        ]
    lines[-1] = "    }"
    return "\n".join([*lines, "  ]", "}"]) + "\n"


def _json(value: Mapping[str, Any] | str | list[Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def head(name: str) -> str:
    """What the head of a script's file says of it."""
    lines = (FOLDER / f"{name}.lua").read_text("utf-8").splitlines()
    return "\n".join(line for line in itertools.takewhile(lambda line: line.startswith("--"), lines))


def made() -> str:
    """The document as the scripts answer now, on a server of its own."""
    folder = Path(tempfile.mkdtemp(prefix="ac-"))
    server = Server(folder, {"appendfsync": "no"})
    try:
        server.start()
        with Connection(server.socket) as connection:
            return laid_out([played(case, connection) for case in CASES])
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Write the document, or with `--check` only say whether it is what is played now; 1 where it is not."""
    text = made()
    current = PATH.read_text("utf-8") if PATH.exists() else ""
    if text == current:
        return 0
    if "--check" in sys.argv[1:]:
        print("docs/vectors.json is not what the scripts answer: run `make docs`.")
        return 1
    PATH.write_text(text, "utf-8")
    print("docs/vectors.json is written.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
