"""Keeps what the queries of pages consist of in the user's cache folder.

To parse a query takes lark, whose import takes longer than the analysis of a short trace. The file holds data and no
code, and a query that it does not hold is parsed.
"""

from __future__ import annotations

import os
from binascii import crc32
from functools import cache
from pathlib import Path

import msgspec

from tracediag.languages.folder import cache_file
from tracediag.languages.texts import grammar_text
from tracediag.query.nodes import Parsed

MOST_KEPT = 2_000
"""Queries in the file: far more than all pages of tracediag have; those of users change as they write them."""

_LARGEST = 1 << 23
"""Bytes of a file that is read."""


def parsed(text: str) -> Parsed:
    """Return what a query consists of, as an earlier run kept it; else parse it, and keep that.

    Raises:
        QueryError: if the text is not of the language.
    """
    found = _from(kept_queries(), text)
    if found is not None:
        return found
    from tracediag.query.grammar import parse  # noqa: PLC0415  # it needs lark

    found = parse(text)
    _keep(text, found)
    return found


@cache
def kept_queries() -> dict[str, msgspec.Raw]:
    """Return what the file holds by the text of each query, encoded; empty where there is no sound file."""
    try:
        path = _file()
        if path.stat().st_size > _LARGEST:
            return {}
        return msgspec.msgpack.decode(path.read_bytes(), type=dict[str, msgspec.Raw])
    except (OSError, RuntimeError, msgspec.DecodeError):  # RuntimeError: there is no home directory
        return {}


def _from(kept: dict[str, msgspec.Raw], text: str) -> Parsed | None:
    raw = kept.get(text)
    try:
        return None if raw is None else msgspec.msgpack.decode(raw, type=Parsed)
    except (msgspec.DecodeError, RecursionError):
        return None


def _keep(text: str, parsed: Parsed) -> None:
    """Add a query to the file, which is replaced as a unit: of two runs that do so, one adds its query another time."""
    kept = kept_queries()
    if len(kept) >= MOST_KEPT:
        return
    try:
        kept[text] = msgspec.Raw(msgspec.msgpack.encode(parsed))
        path = _file()
        written = path.with_name(f"{path.name}.{os.getpid()}")
        written.write_bytes(msgspec.msgpack.encode(kept))
        written.replace(path)
    except (OSError, RuntimeError):
        return


def _file() -> Path:
    """Return the file for this grammar and these nodes: others have another one."""
    sources = [Path(__file__).with_name(name).read_bytes() for name in ("nodes.py", "grammar.py")]
    return cache_file(f"queries-{crc32(b''.join([grammar_text('query.lark').encode(), *sources])):08x}.msgpack")
