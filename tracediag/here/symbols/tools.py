"""addr2line of binutils and eu-addr2line of elfutils: they take the same options, and print nearly the same."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence

import msgspec

from tracediag.results.stacks import is_of_system
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


class Source(msgspec.Struct, frozen=True):
    """A function, and the line in it that an address belongs to."""

    function: str
    """Its name; "??" if unknown."""
    file: str | None
    line: int | None

    @property
    def is_own(self) -> bool:
        """Whether the line is known, and of no header of the system, whose functions are inlined everywhere."""
        return self.file is not None and not is_of_system(self.file)


Chain = tuple[Source, ...]
"""The functions that were inlined at an address, the innermost first, then the one whose code it is."""


def find_tool() -> str | None:
    """Return the path of a tool; None if there is none."""
    return next((path for tool in TOOLS if (path := shutil.which(tool)) is not None), None)


def ask(tool: str, module: str, addresses: Sequence[int], patience: float) -> list[Chain] | None:
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
    answers = [_chain(rows) for rows in _answers(done.stdout.split("\n"))]
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


def _chain(rows: Sequence[str]) -> Chain:
    """Return the functions of an address: in the lines, names and places take turns."""
    return tuple(_source(function, place) for function, place in zip(rows[::2], rows[1::2], strict=False))


def _source(function: str, place: str) -> Source:
    found = _PLACE.match(place[:_LONGEST])
    line = None if found is None else integer(found["line"])
    file = found["source"] if found is not None and line and found["source"] != "??" else None
    return Source(function=function.partition(_INLINED)[0], file=file, line=line if file else None)
