"""No rule claims what it cannot know: what is certain of a part of a trace is certain of the whole trace as well.

Each sample is cut off at its beginning, as by an `strace -p` that came late, and thinned out, as by `strace -Z` or
`strace -e trace=...`. Of what is missing nothing is known then, and what is not known may lower a rule's confidence or
silence it, but make it sure of nothing new.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from sample_reports import TRACES, named

from tracediag.engine import Engine
from tracediag.reading import Reader
from tracediag.results.findings import Confidence, Finding
from tracediag.rules import all_rules

PARTS = 6
"""A sample is cut after odd sixths of its lines or after even ones, by its place among the samples."""


NETWORK = "socket|socketpair|bind|listen|accept4?|connect|shutdown|[gs]etsockopt|get(?:sock|peer)name|(?:send|recv)\\w*"
DESC = (
    "open(?:at)?|close|close_range|read|write|readv|writev|dup[23]?|fcntl|ioctl|pipe2?|mmap|lseek|fstat|epoll_\\w+"
    "|p?poll|p?select6?"
)
CALL = r"(?:\d+ +)?(?:[\d.]+ )?(?:<\.\.\. )?(?:%s)(?:\(| resumed>)"
RECORD = r".* (?:\+\+\+|---)(?: |$)"
LEFT = {
    "-e trace=network": re.compile(f"{CALL % NETWORK}|{RECORD}"),
    "-e trace=desc": re.compile(f"{CALL % DESC}|{RECORD}"),
    "-Z": re.compile(f".* = -1 E|{RECORD}"),
}
"""What such a recording leaves of a trace."""


def _lines(trace: Path) -> list[str]:
    with trace.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        return list(file)


def _certain(lines: list[str]) -> list[Finding]:
    """Return all certain findings, none folded into another."""
    engine = Engine(all_rules())
    reader = Reader(lines, calls=engine.calls, begun=engine.begun)
    return [finding for finding in engine.run(reader) if finding.confidence is Confidence.CERTAIN]


def _shown(finding: Finding) -> set[int]:
    """Return the lines that a finding shows."""
    last = (step.last_line for step in finding.steps)
    return {step.line for step in finding.steps} | {line for line in last if line is not None}


def _number(finding: Finding) -> str:
    """Return the object's number or name, without what it is said to be: of that the whole trace may know more."""
    return finding.object.partition(" = ")[0]


def _is_of(found: Finding, left: list[int], known: Finding) -> bool:
    """Whether a finding in what is left tells of the incident that a finding in the whole trace tells of.

    Most rules speak once of an object or a spin, where it begins; in what is left this may be told at a later line.

    Args:
        found: a finding in what is left.
        left: the numbers that the lines have in the whole trace.
        known: a finding in the whole trace.
    """
    primary = left[found.primary.line - 1]
    if found.name == known.name:
        lines = {left[line - 1] for line in _shown(found)}
        same = _number(found) == _number(known) and known.primary.line <= primary
        return same or bool(lines & _shown(known))
    # A crash is a crash; with its cause in sight it is told by another rule.
    return found.name == "crashed" and primary in _shown(known)


def _new(lines: list[str], left: list[int], whole: list[Finding]) -> list[tuple[str, int, str]]:
    """Return what is certain of the lines left and not of the whole trace."""
    return [
        (found.name, left[found.primary.line - 1], found.object)
        for found in _certain([lines[number - 1] for number in left])
        if not any(_is_of(found, left, known) for known in whole)
    ]


def _parts(lines: list[str], first: int) -> Iterator[tuple[str, list[int]]]:
    """Yield what is left of a trace, as numbers of its lines, and why."""
    numbers = range(1, len(lines) + 1)
    for cut in sorted({len(lines) * part // PARTS for part in range(first, PARTS, 2)}):
        yield f"without the first {cut} lines", list(numbers[cut:])
    for how, kept in LEFT.items():
        left = [number for number in numbers if kept.match(lines[number - 1])]
        if any("(" in lines[number - 1] for number in left):
            yield f"recorded with {how}", left


def test_a_part_of_a_trace_makes_nothing_certain(samples: tuple[Path, ...]) -> None:
    found = {}
    for trace in samples:
        lines = _lines(trace)
        whole = _certain(lines)
        for how, left in _parts(lines, 1 + TRACES.index(trace) % 2):
            found[named(trace), how] = _new(lines, left, whole)
    assert {place: new for place, new in found.items() if new} == {}
