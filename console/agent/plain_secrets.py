"""What an agent says of itself, without secrets: in JSON, in an exception's words, in what goes to `logging`."""

from __future__ import annotations

import json
import logging
import re
import traceback
from typing import Final

from console.agent.plain_text import quoted
from console.domain.secrets import HIDDEN, is_secret_name, without_secrets

_MEMBER: Final = re.compile(
    r'(?:(?P<name>"(?:[^"\\]|\\.)*+"):)?(?:(?P<text>"(?:[^"\\]|\\.)*+")|(?P<number>-?[0-9][0-9.eE+-]*))'
)
_HIDDEN: Final = f'"{HIDDEN}"'
_ENDS_OF_LINES: Final = ("\\n", "\\r", "\\t")
_RARE: Final = ("\\u", "\\b", "\\f")
_ANY_SIZE: Final = 1 << 40


def without_secrets_in_json(text: str) -> str:
    """JSON without what looks like a secret: a text or a number that stands under a telling name (`password`,
    `api_key`, `Authorization`, …) and, within any text, what `without_secrets` takes for one. All else stays as it is,
    to the byte.

    Args:
        text: JSON as our own writer makes it, without a space between a name and its value.
    """
    if not _may_hold_one(text):
        return text
    return _MEMBER.sub(_hidden, text)


def _may_hold_one(text: str) -> bool:
    """Whether anything may have to be hidden; cheap, since most records hold nothing of it."""
    for escape in _ENDS_OF_LINES:
        text = text.replace(escape, " ")  # a word begins after it
    return any(escape in text for escape in _RARE) or without_secrets(text) != text


def _hidden(match: re.Match[str]) -> str:
    name, text = match["name"], match["text"]
    if name is not None and is_secret_name(json.loads(name)):
        return f"{name}:{_HIDDEN}"
    if text is None:
        return match[0]
    words: str = json.loads(text)
    told = without_secrets(words)
    if told == words:
        return match[0]
    new = quoted(told, _ANY_SIZE).text
    return new if name is None else f"{name}:{new}"


class _Redacting(logging.Filter):
    """Takes secrets out of a record before any handler has it, out of the exception's traceback too."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = without_secrets(record.getMessage()), None
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = without_secrets("".join(traceback.format_exception(record.exc_info[1])).rstrip())
        record.exc_info = None
        return True


_REDACTING: Final = _Redacting()


def logger(name: str) -> logging.Logger:
    """The logger of a name; nothing that looks like a secret leaves it."""
    made = logging.getLogger(name)
    made.addFilter(_REDACTING)  # once: a logger knows its filters
    return made
