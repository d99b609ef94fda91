"""One JSON document on one line: the serialisation of every report for programs."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from tracediag.report.visible import encodable


def dump(value: Any) -> str:
    """Return a struct, or a value containing structs, as one line of JSON.

    Only ASCII, so that every terminal and decoder accepts it; and no lone surrogate, which JSON cannot hold.
    """
    return json.dumps(_encodable(msgspec.to_builtins(value))) + "\n"


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
