"""Whether an evidence file is as it was written: its seal, the hash of every member, and the chains in it; offline."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, NamedTuple
from zipfile import BadZipFile, ZipFile

from console.domain.errors import Refused
from console.domain.fence.chain import ChainCheck, ChainVerdict
from console.domain.fence.sealed import LinesVerdict, verify_lines
from console.domain.text import clean
from console.evidence.entries import LONGEST, read_entries
from console.evidence.names import FORM, MANIFEST, STREAMS, SUMS, is_sound
from console.evidence.rounds import PLACES, read_places
from console.evidence.seal import seal_problem
from console.regular import open_regular
from console.views.fence.chains import ChainReport

MOST_SMALL: Final = 64 << 20
"""Bytes of a member that is read at once."""
_PIECE: Final = 1 << 20
DAMAGE: Final = (BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, KeyError)
"""What zip files that were damaged, or made to do harm, raise when they are read."""


class Checked(NamedTuple):
    """What was found.

    Args:
        problems: what is wrong with the file, one sentence each.
        digest: SHA-256 of its list of hashes; empty where it has none.
        members: how many it has.
        chains: the chains in it, as far as they reach.
        manifest: what it says of itself; empty where that can't be read.
    """

    problems: tuple[str, ...]
    digest: str
    members: int
    chains: tuple[ChainReport, ...]
    manifest: dict[str, Any]


@contextmanager
def opened(path: Path) -> Iterator[ZipFile]:
    """An evidence file.

    Raises:
        Refused: it can't be opened, or is no zip.
    """
    try:
        with BufferedReader(open_regular(path)) as file, ZipFile(file) as archive:
            yield archive
    except OSError as error:
        raise Refused(f"{clean(str(path))} can't be read: {error.strerror or error}.") from error
    except BadZipFile as error:
        raise Refused(f"{clean(str(path))} is no evidence file: {clean(error, 100)}.") from error


def small(archive: ZipFile, name: str) -> bytes:
    """A member that is read at once.

    Raises:
        ValueError: it is larger than such a one may be.
        KeyError: there is none of that name.
    """
    with archive.open(name) as file:
        data = file.read(MOST_SMALL + 1)
    if len(data) > MOST_SMALL:
        raise ValueError(f"{name} is larger than {MOST_SMALL:,} bytes")
    return data


def manifest_of(archive: ZipFile) -> dict[str, Any]:
    """What the file says of itself.

    Raises:
        Refused: it is of another form, or can't be read.
    """
    try:
        document = json.loads(small(archive, MANIFEST))
    except (*DAMAGE, RecursionError) as error:
        raise Refused(f"It is no evidence file, or its {MANIFEST} is damaged: {clean(error, 100)}.") from error
    if not isinstance(document, dict) or document.get("form") != FORM:
        raise Refused("It is evidence of a form that this release does not know.", "A newer release may have made it.")
    return document


def check(path: Path) -> Checked:
    """Look at all of it.

    Raises:
        Refused: it can't be read at all.
    """
    try:
        with BufferedReader(open_regular(path)) as file:
            problem = seal_problem(file)
    except OSError as error:
        raise Refused(f"{clean(str(path))} can't be read: {error.strerror or error}.") from error
    problems = [problem] if problem else []
    digest, members = "", 0
    chains: tuple[ChainReport, ...] = ()
    manifest: dict[str, Any] = {}
    try:
        with opened(path) as archive:
            members = len(archive.infolist())
            digest, wrong = _sums(archive)
            problems += wrong
            manifest = manifest_of(archive)
            chains = tuple(_chains(archive, manifest))
    except Refused as error:
        problems.append(error.message)
    except (*DAMAGE, RecursionError) as error:
        problems.append(f"it can't be read: {clean(error, 120)}")
    return Checked(tuple(problems), digest, members, chains, manifest)


def _sums(archive: ZipFile) -> tuple[str, list[str]]:
    """The digest of the list of hashes, and what does not fit it."""
    raw = small(archive, SUMS)
    stated = {name: digest for digest, _, name in (line.partition("  ") for line in raw.decode().splitlines())}
    names = [info.filename for info in archive.infolist()]
    problems = [f"{clean(name, 60)!r} is no name for a member" for name in names if not is_sound(name)]
    problems += [f"{clean(name, 100)} is there twice" for name, count in Counter(names).items() if count > 1]
    problems += [f"{clean(name, 100)} is missing" for name in stated.keys() - set(names)]
    for name in dict.fromkeys(names):
        if name == SUMS:
            continue
        if name not in stated:
            problems.append(f"{clean(name, 100)} is in no list of hashes: somebody put it there")
        elif _digest(archive, name) != stated[name]:
            problems.append(f"{clean(name, 100)} is not what was hashed")
    return hashlib.sha256(raw).hexdigest(), problems


def _digest(archive: ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    try:
        with archive.open(name) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except DAMAGE:
        return "damaged"
    return digest.hexdigest()


def _chains(archive: ZipFile, manifest: dict[str, Any]) -> Iterator[ChainReport]:
    for chain, name in STREAMS.items():
        with archive.open(name) as file:
            yield ChainReport.of(chain, _stream(file, prefix=chain == "audit"))
    for log in manifest["logs"]:
        member = str(log["member"])
        yield ChainReport.of_log(member, _log(archive, member))


def _stream(file: IO[bytes], *, prefix: bool) -> ChainVerdict:
    check = ChainCheck(after=None, count=None, prefix=prefix)
    for entry_id, fields in read_entries(file):
        check.take(entry_id, fields)
    return check.verdict()


def _read_lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(LONGEST):
        yield line


def _log(archive: ZipFile, member: str) -> LinesVerdict:
    """Each stretch of a log by itself: what stood between two of them is of another time."""
    places = read_places(small(archive, member.removesuffix(".jsonl") + PLACES))
    whole = LinesVerdict(0, "")
    with archive.open(member) as file:
        for _offset, _size, lines in places:
            one = verify_lines(line for line in islice(_read_lines(file), lines))
            whole = LinesVerdict(
                whole.lines + one.lines,
                one.head,
                whole.problem or one.problem,
                whole.kind or one.kind,
                whole.wrong + one.wrong,
                whole.sealed + one.sealed,
                one.sequence,
            )
        if file.read(1):
            raise ValueError(f"{member} has more lines than its places say")
    return whole
