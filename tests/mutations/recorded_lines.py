"""The lines of the recorded samples, read by the form in which `samples/record.sh` records them.

Deliberately not tracediag's reader: a mutation must not depend on what it tests.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

SAMPLES = Path(__file__).parents[2] / "samples"

_LINE = re.compile(
    r"(?P<front>(?P<pid>\d+) +(?:\d+\.\d+ )?)"
    r"(?:(?P<begun>\w+)\(.* <unfinished \.\.\.>$|<\.\.\. (?P<resumed>\w+) resumed>"
    r"|(?P<call>\w+)\(|(?P<mark>---|\+\+\+) )"
)
_RESULT = re.compile(r".*\) += (?P<value>\S+)")
_UNFINISHED = " <unfinished ...>"


class Line(NamedTuple):
    """One line of a recording."""

    number: int
    text: str
    front: str
    """What stands before the record: pid and time."""
    pid: int
    kind: str
    """call, begun, resumed, signal or exit."""
    name: str
    """Of the call; empty for signals and exits."""
    outcome: str
    """failed, successful or unfinished; of both halves, where there are two."""

    @property
    def record(self) -> str:
        return self.text[len(self.front) :]


def read(path: Path) -> list[Line]:
    """Return the lines of a sample."""
    lines: list[Line] = []
    open_halves: dict[int, int] = {}
    for number, text in enumerate(path.read_text(errors="surrogateescape").splitlines(), 1):
        line = _line(number, text)
        if line.kind == "begun":
            open_halves[line.pid] = len(lines)
        elif line.kind == "resumed" and line.pid in open_halves:
            begun = open_halves.pop(line.pid)
            lines[begun] = lines[begun]._replace(outcome=line.outcome)
        lines.append(line)
    return lines


def joined(lines: list[Line]) -> list[Line]:
    """Return the lines with both halves of a call as one, where it ended."""
    out: list[Line] = []
    begun: dict[int, Line] = {}
    for line in lines:
        if line.kind == "begun":
            begun[line.pid] = line
        elif line.kind == "resumed" and (first := begun.pop(line.pid, None)) is not None:
            rest = line.record.partition(" resumed>")[2]
            out.append(line._replace(text=first.text.removesuffix(_UNFINISHED) + rest, front=first.front, kind="call"))
        else:
            out.append(line)
    return sorted([*out, *begun.values()])


def _line(number: int, text: str) -> Line:
    found = _LINE.match(text)
    assert found is not None, f"line {number} is of no known form: {text}"
    front, pid = found["front"], int(found["pid"])
    if found["mark"]:
        return Line(number, text, front, pid, "signal" if found["mark"] == "---" else "exit", "", "")
    if found["begun"]:
        return Line(number, text, front, pid, "begun", found["begun"], "unfinished")
    kind = "resumed" if found["resumed"] else "call"
    return Line(number, text, front, pid, kind, found["resumed"] or found["call"], _outcome(text))


def _outcome(text: str) -> str:
    result = _RESULT.match(text)
    if result is None or result["value"] == "?":
        return "unfinished"
    return "failed" if result["value"] == "-1" else "successful"
