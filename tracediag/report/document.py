"""One JSON document on one line: the serialisation of every report for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from tracediag.report.visible import encodable

_ROWS = 256

DOCUMENTS = (
    "report",
    "many",
    "summary",
    "tree",
    "state",
    "explanation",
    "life",
    "cause",
    "search",
    "groups",
    "files",
    "lives",
    "peers",
    "check",
    "doctor",
)
"""The documents that have a schema."""


def dump(value: Any) -> str:
    """Return a struct, or a value containing structs, as one line of JSON.

    Only ASCII, so that every terminal and decoder accepts it; and no lone surrogate, which JSON cannot hold.
    """
    return _text(value) + "\n"


def dump_rows(edition: str, value: msgspec.Struct) -> Iterator[str]:
    """Yield in pieces what `dump` returns of a struct and its edition: some rows of its long lists at a time.

    A trace can have a hundred thousand rows: neither the text of all of them nor a copy of their values is held.
    """
    yield f'{{"schema": {_text(edition)}'
    for field in msgspec.structs.fields(value):
        held = getattr(value, field.name)
        yield f", {_text(field.encode_name)}: "
        if isinstance(held, tuple):
            yield "["
            for place in range(0, len(held), _ROWS):
                yield (", " if place else "") + _text(held[place : place + _ROWS])[1:-1]
            yield "]"
        else:
            yield _text(held)
    yield "}\n"


def _text(value: Any) -> str:
    return json.dumps(_encodable(msgspec.to_builtins(value)))


def _encodable(value: Any) -> Any:
    match value:
        case str():
            return encodable(value)
        case list():
            return [_encodable(item) for item in value]
        case dict():
            return {encodable(key): _encodable(item) for key, item in value.items()}
        case _:
            return value
