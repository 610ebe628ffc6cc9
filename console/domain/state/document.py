"""A state as one JSON document: the seven fields of the contract at the top level, everything else beside them.

Whoever reads the contract's seven finds them there; whoever knows more finds more. The document of a file carries a
checksum: SHA-256 over its other fields, as JSON without a blank and with sorted keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from console.domain.errors import Refused, UsageError
from console.domain.state import values
from console.domain.state.secrets import refuse_secrets
from console.domain.state.sections import RECORDS
from console.domain.state.state import FIELDS, PLAIN_FIELDS, SEVEN, Plain, State, derived
from console.domain.text import clean

FORMAT: Final = "agent-console/state"
STATE_VERSION: Final = 1
"""Version of this document's form; that of what the author puts into it is `schema`."""
_KNOWN: Final = frozenset({"format", "state_version", *FIELDS, *PLAIN_FIELDS})


def to_document(state: State) -> dict[str, Any]:
    """The state as JSON values that may be changed."""
    document: dict[str, Any] = {"format": FORMAT, "state_version": STATE_VERSION}
    for name in FIELDS:
        document[name] = section(state, name)
    for name in PLAIN_FIELDS:
        document[name] = values.thaw(getattr(state, name))
    return document


def section(state: State, name: str) -> Any:
    """One section as JSON values that may be changed."""
    value = getattr(state, name)
    if value is None:
        return None
    if name in RECORDS:
        return [record.document() for record in value]
    if name == "last_actions":
        return {kind: values.time_text(time) for kind, time in value.items()}
    return values.thaw(value)


def plain_document(state: State) -> dict[str, Any]:
    """The contract's seven fields alone, as a plain agent writes and reads them."""
    return {name: values.thaw(getattr(state, name)) for name in SEVEN}


def from_document(document: Any, at: str) -> State:
    """The state in a document of ours.

    Args:
        document: parsed with `values.parse`.
        at: what to call it in errors.

    Raises:
        Refused: it is none, of a form that this program does not know, or a field is missing, unknown or wrong.
    """
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise Refused(f"{at} is no state of agent-console.")
    form = document.get("state_version")
    if form != STATE_VERSION or isinstance(form, bool):
        raise Refused(
            f"{at} has the form {clean(form, 20)}; this program knows {STATE_VERSION}.",
            "Open it with the release of agent-console that wrote it, or a newer one.",
        )
    if wrong := sorted({*document} ^ _KNOWN):
        what = "lacks" if wrong[0] in _KNOWN else "has the unknown field"
        raise Refused(f"{at} {what} {clean(wrong[0], 40)}.", "The file may be cut off or edited.")
    given = {name: read_section(name, document[name], f"{at}: {name}") for name in FIELDS}
    given["extra"] = {} if given["extra"] is None else given["extra"]
    try:
        state = State(**given)
        own = {name: document[name] for name in PLAIN_FIELDS}
        own = {name: value for name, value in own.items() if value != values.thaw(derived(state, name))}
        return State(**given, plain=Plain(**own)) if own else state
    except UsageError as error:
        raise Refused(f"{at}: {error.message}", error.hint) from error


def read_section(name: str, value: Any, at: str) -> Any:
    """A section's value, as `State` takes it, from its JSON.

    Raises:
        Refused: it is none.
    """
    if value is None:
        if name in ("schema", "version", "extra"):
            raise Refused(f"{at} is null.")
        return None
    if name in RECORDS:
        if not isinstance(value, list):
            raise Refused(f"{at} is no list.")
        return [RECORDS[name].read(one, f"{at}[{index}]") for index, one in enumerate(value)]
    if name == "last_actions":
        if not isinstance(value, Mapping):
            raise Refused(f"{at} is no object.")
        return {kind: values.read_time(time, f"{at}.{clean(kind, 40)}") for kind, time in value.items()}
    return value


def from_plain(document: Any, at: str) -> State:
    """The state in a plain agent's snapshot.

    Raises:
        Refused: it is no object, has none of the contract's fields, or a value that can't be one.
    """
    if not isinstance(document, Mapping):
        raise Refused(f"{at} is no object with the contract's fields.")
    if not any(name in document for name in SEVEN):
        raise Refused(f"{at} has none of the contract's fields ({', '.join(SEVEN)}).", "An empty state is no state.")
    try:
        return State.of_plain(document)
    except UsageError as error:
        raise Refused(f"{at}: {error.message}", error.hint) from error


def encode(state: State) -> bytes:
    """The file's content; the same state gives the same bytes.

    Raises:
        Refused: it holds a secret, or what can't be written.
    """
    document = to_document(state)
    refuse_secrets(document)
    body = _line(document).rstrip()
    digest = hashlib.sha256(body).hexdigest()
    return _line({**document, "checksum": f"sha256:{digest}"})


def encode_plain(state: State) -> bytes:
    """A plain agent's file: the seven fields.

    Raises:
        Refused: it holds a secret, or what can't be written.
    """
    document = plain_document(state)
    refuse_secrets(document)
    return _line(document)


def _line(document: Mapping[str, Any]) -> bytes:
    try:
        return values.dump(document) + b"\n"
    except (ValueError, TypeError) as error:
        raise Refused(f"The state can't be written: {error}.") from error


def checksum(document: Mapping[str, Any]) -> str:
    """Of a document, without its `checksum`."""
    body = {name: value for name, value in document.items() if name != "checksum"}
    return "sha256:" + hashlib.sha256(values.dump(body)).hexdigest()


def _is_ours(document: Mapping[str, Any]) -> bool:
    """Whether a document is one of this program: one damaged name doesn't make a plain agent's of it."""
    marks = sum(name in document for name in ("format", "state_version", "checksum"))
    return marks >= 2 or str(document.get("format", "")).startswith("agent-console/")


def decode(data: bytes, at: str) -> State:
    """The state in a file, ours or a plain agent's.

    Args:
        data: the file's content.
        at: what to call it in errors.

    Raises:
        Refused: it is cut off, was changed, or is none; the text says why. Never an empty state instead.
    """
    try:
        document = values.parse(data)
    except ValueError as error:  # UnicodeDecodeError too
        raise Refused(f"{at} is no state: {clean(error, 200)}.", "The file may be cut off or edited.") from error
    if not isinstance(document, Mapping) or not _is_ours(document):
        return from_plain(document, at)
    if document.get("format") != FORMAT:
        raise Refused(f"{at} is of the format {clean(document.get('format'), 40)}, not {FORMAT}.")
    body = {name: value for name, value in document.items() if name != "checksum"}
    try:
        whole = document.get("state_version") != STATE_VERSION or document.get("checksum") == checksum(body)
    except ValueError as error:  # half a character, which only an edited file has
        raise Refused(f"{at} can't be verified: {clean(error, 120)}.") from error
    if not whole:
        raise Refused(f"{at}: the checksum is wrong; the file was changed after it was written.")
    return from_document(body, at)
