"""The line of a key in TOML: tomllib returns values without their places."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tracediag.trace.patterns import lazy_pattern

_HEADER = lazy_pattern(r"\s*+\[\[?+\s*+([^\[\]]++)\]")
_KEY = lazy_pattern(r"""\s*+((?>[\w-]++|"[^"\n]*+"|'[^'\n]*+'|\s*+\.\s*+)++)\s*+=""")


def line_of(text: str, key: str, table: str = "", entry: int = 0) -> int:
    """Return the line of a key of a table, from 1; the line of the table where the key is not found, else 1.

    Of `[[key]]` it is the line of that entry, from 0. A line inside of a long string may look like a key: the first
    one below the right header counts.
    """
    wanted = f"{table}.{key}" if table else key
    names = list(_names(text))
    entries = [number for number, name, is_header in names if is_header and name == wanted]
    if len(entries) > entry:
        return entries[entry]
    for number, name, _ in names:
        if name == wanted or name.startswith(f"{wanted}."):
            return number
    headers = [number for number, name, is_header in names if is_header and name == table]
    return headers[-1] if headers else 1


def _names(text: str) -> Iterator[tuple[int, str, bool]]:
    """Yield the line and the full name of each header and key, and whether it is a header."""
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if (header := _HEADER.match(line)) is not None:
            table = _plain(header[1])
            yield number, table, True
        elif (key := _KEY.match(line)) is not None:
            yield number, f"{table}.{_plain(key[1])}" if table else _plain(key[1]), False


def _plain(name: str) -> str:
    return re.sub(r"""[\s"']++""", "", name)
