"""What `follow` is asked for: `fd 7@976`, `pipe 5@12`, `path /etc/x`, `peer 10.0.0.1:443`, `pid 12`."""

from __future__ import annotations

import re

import msgspec

from tracediag.errors import TracediagError
from tracediag.trace.numbers import integer
from tracediag.trace.patterns import lazy_pattern

_FORM = lazy_pattern(r"\s*+(?P<kind>[a-z]++)\s++(?P<rest>\S.*?)\s*+", re.DOTALL)
_NUMBERED = lazy_pattern(r"(?P<number>[0-9]{1,10}+)(?:@(?P<line>[0-9][0-9,]{0,20}+))?")
KINDS = ("fd", "pipe", "path", "peer", "pid")


class AskingError(TracediagError, ValueError):
    """The object is not written as it should be; the message is one clear sentence."""


class Asked(msgspec.Struct, frozen=True):
    """One object of a trace."""

    kind: str
    text: str
    """A path or an address; "" for the others."""
    number: int = -1
    """A descriptor or a pid."""
    line: int | None = None
    """The line at which the descriptor is meant."""

    def __str__(self) -> str:
        if self.kind in ("path", "peer"):
            return f"{self.kind} {self.text}"
        return f"{self.kind} {self.number}" + ("" if self.line is None else f"@{self.line}")


def parse_asked(text: str) -> Asked:
    """Parse the object. Raises `AskingError`."""
    found = _FORM.fullmatch(text)
    if found is None or found["kind"] not in KINDS:
        raise AskingError(f"{text!r} is none of 'fd 7@976', 'pipe 5@12', 'path /etc/x', 'peer 10.0.0.1:443', 'pid 12'")
    kind, rest = found["kind"], found["rest"]
    if kind in ("path", "peer"):
        return Asked(kind, rest)
    numbered = _NUMBERED.fullmatch(rest)
    if numbered is None:
        raise AskingError(
            f"{text!r}: after {kind!r} comes a number, as in '{kind} 7" + ("'" if kind == "pid" else "@976'")
        )
    line = None if numbered["line"] is None else integer(numbered["line"].replace(",", ""))
    return Asked(kind, "", integer(numbered["number"]) or 0, line)
