"""What is counted here is what a real terminal draws: the cursor of tmux is asked where it stands."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import unicodedata
import uuid
from pathlib import Path
from random import Random

import pytest

from console.domain.text import clean
from tests.waiting import until
from widgets.text.plain import fit, plain, width_of

TMUX = shutil.which("tmux")
pytestmark = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")

BATCH = 200
SIGNS = "👍🏽|👩\u200d👩\u200d👧\u200d👦|❤\ufe0f|❤\ufe0e|☎|1\ufe0f\u20e3|🇩🇪|🇺|𓀀|䷀|☰|㉈|🏴|…|−|✔"
HIDDEN = (
    "\u3164|\u115f|\u1160|\uffa0|\u2800|\u00ad|\u200b|\u200f|\u202e|\u2066|\u0301|\t|\u3000|\u0e31|\ufeff|\U000e0041"
)
WORDS = "日本|ｱ|Ａ|한|\u1112\u1161\u11ab|हिन्दी|தமிழ்|ไทย|กำ|שלום|مرحبا"
TROUBLE = f"{SIGNS}|{HIDDEN}|{WORDS}".split("|")


def probe(items: str, result: str) -> None:
    """Runs inside the terminal: draw each text at the start of a line, and note the column behind it."""
    import os
    import re
    import tty

    tty.setraw(0)
    texts, columns, heard = json.loads(Path(items).read_text()), [], b""
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        os.write(1, b"".join(b"\r\x1b[2K" + text.encode() + b"\x1b[6n" for text in batch))
        for _ in batch:
            while (reply := re.search(rb"\x1b\[\d+;(\d+)R", heard)) is None:
                heard += os.read(0, 4096)
            heard = heard[reply.end() :]
            columns.append(int(reply[1]) - 1)
    Path(result).with_suffix(".part").write_text(json.dumps(columns))
    Path(result).with_suffix(".part").rename(result)


def drawn(texts: list[str], folder: Path) -> list[int]:
    """How many cells each text takes in tmux."""
    items, result, socket = folder / "items.json", folder / "columns.json", f"width-{uuid.uuid4().hex[:8]}"
    items.write_text(json.dumps(texts))
    command = [str(TMUX), "-L", socket, "-f", "/dev/null"]
    run = [sys.executable, __file__, str(items), str(result)]
    subprocess.run(
        [*command, "new-session", "-d", "-x", "200", "-y", "5", *run],
        check=True,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    try:
        until(result.exists, "every text is drawn")
    finally:
        subprocess.run([*command, "kill-server"], check=False, capture_output=True)
    return [int(column) for column in json.loads(result.read_text())]


def test_every_character_is_as_wide_in_a_terminal_as_it_is_counted(tmp_path: Path) -> None:
    texts = [
        "a" + shown for code in range(0x20, 0x110000) if (shown := plain(chr(code))) not in ("", "�") or code == 0xFFFD
    ]
    columns = drawn(texts, tmp_path)
    assert [(text, column) for text, column in zip(texts, columns, strict=True) if width_of(text) != column] == []


def test_any_mixture_fills_its_column_exactly(tmp_path: Path) -> None:
    random = Random(12)
    letters = [*TROUBLE, *(chr(code) for code in range(0x20, 0x3000)), *(chr(code) for code in range(0x1F300, 0x1FB00))]
    letters = [letter for letter in letters if not any(unicodedata.category(char) == "Cs" for char in letter)]
    mixtures = ["".join(random.choices(letters, k=random.randint(1, 12))) for _ in range(3000)]
    mixtures += [left + right for left in TROUBLE for right in TROUBLE]
    widths = [random.randint(1, 40) for _ in mixtures]
    texts = [fit(text, width) for text, width in zip(mixtures, widths, strict=True)]
    cleaned = [clean(text) for text in mixtures]
    columns = drawn(texts + cleaned, tmp_path)
    assert [
        (text, column) for text, width, column in zip(texts, widths, columns, strict=False) if width != column
    ] == []
    after = columns[len(texts) :]
    assert [(text, column) for text, column in zip(cleaned, after, strict=True) if width_of(text) != column] == []
    assert [text for text in cleaned if plain(text) != text] == []


if __name__ == "__main__":
    probe(sys.argv[1], sys.argv[2])
