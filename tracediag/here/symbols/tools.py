"""addr2line of binutils and eu-addr2line of elfutils: they take the same options, and print nearly the same."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence

import msgspec

from tracediag.trace.numbers import hexadecimal, integer
from tracediag.trace.patterns import lazy_pattern

TOOLS = ("addr2line", "eu-addr2line")
MISSING = "neither addr2line nor eu-addr2line is installed"
REMEDY = "on Debian and Ubuntu: apt-get install binutils"
_OPTIONS = ("-a", "-f", "-i", "-C", "-e")
"""Addresses, functions, functions that are inlined there, and C++ names as in the source."""
_PLACE = lazy_pattern(r"(?P<source>.+?):(?P<line>[0-9]{1,9}+)(?::[0-9]++)?(?: \(.*\))?$")
_ADDRESS = lazy_pattern(r"0x[0-9a-f]{1,16}+$")
_INLINED = " inlined at "
_LONGEST = 4096
"""Bytes of a path, as the kernel's PATH_MAX."""
_HEADERS = ("/usr/include/", "/usr/lib/", "/usr/local/include/")


class Source(msgspec.Struct, frozen=True):
    """What the debug information says of an address."""

    function: str
    """The function whose code it is; "??" if unknown."""
    file: str | None
    line: int | None


def find_tool() -> str | None:
    """Return the path of a tool; None if there is none."""
    return next((path for tool in TOOLS if (path := shutil.which(tool)) is not None), None)


def ask(tool: str, module: str, addresses: Sequence[int], patience: float) -> list[Source] | None:
    """Return what the debug information of a file says of each address.

    None if the tool fails, or does not answer within `patience` seconds.
    """
    try:
        done = subprocess.run(
            [tool, *_OPTIONS, module],
            input="".join(f"{address:#x}\n" for address in addresses),
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=patience,
            check=False,
            env=os.environ | {"LC_ALL": "C", "DEBUGINFOD_URLS": ""},  # else it asks servers for debug information
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    answers = [_source(rows) for rows in _answers(done.stdout.split("\n"))]
    return answers if len(answers) == len(addresses) else None


def _answers(lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield the lines about each address, without the address itself."""
    rows: list[str] | None = None
    for line in lines:
        if _ADDRESS.match(line) and hexadecimal(line) is not None:
            if rows is not None:
                yield rows
            rows = []
        elif rows is not None and line:
            rows.append(line)
    if rows is not None:
        yield rows


def _source(rows: Sequence[str]) -> Source:
    """Return the line in the program's own source: the innermost one that is not of a header of the system.

    Functions and places take turns; an inlined function stands before the one that its code is part of.
    """
    functions = [function.partition(_INLINED)[0] for function in rows[::2]]
    places = [place for row in rows[1::2] if (place := _PLACE.match(row[:_LONGEST])) is not None]
    known = [(place["source"], integer(place["line"])) for place in places if place["source"] != "??"]
    known = [(source, line) for source, line in known if line]
    own = [pair for pair in known if not pair[0].startswith(_HEADERS)]
    file, line = next(iter(own or known), (None, None))
    return Source(function=functions[-1] if functions else "??", file=file, line=line)
