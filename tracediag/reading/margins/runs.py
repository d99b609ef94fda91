"""Records that lost their line ends, in a form field or a chat: several stand in one line, with blanks between them."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.reading.margins.undoing import Joining, Undoing
from tracediag.trace.patterns import lazy_pattern

_NOTE = r"<(?>[^<>-]++|->?|<[^<>]*+>)*+>"
_RESULT = (
    rf"\)[ \t]*+=[ \t]++(?>0x[0-9a-f]++|-?[0-9]++|\?)(?>{_NOTE})?+"
    r"(?>[ ](?>E[A-Z0-9]++[ ])?+\([^()\"]*+\))?+(?>[ ]<[0-9.]++>)?+"
)
_PREFIX = (
    r"(?>\[pid[ ]++[0-9]{1,10}+\][ ]++|[0-9]{1,8}+[ ]++)?+(?>[0-9][0-9:.]{7,20}+[ ]++)?+(?>\(\+[ ]*+[0-9.]++\)[ ]++)?+"
)
_RECORD = r"(?:[a-z_][a-z0-9_]{0,40}+\(|<\.\.\.[ ][\w?]|\+\+\+[ ](?:exited|killed|superseded)|---[ ](?:SIG|stopped))"
_BETWEEN = lazy_pattern(
    rf'"(?>[^"\\]++|\\.)*+"?'
    rf"|(?:{_RESULT}|<(?:unfinished|detached)[ ]\.\.\.>|[ ]\+\+\+|\}}[ ]---)(?P<blanks>[ \t]++)(?={_PREFIX}{_RECORD})"
)
"""A string, which may hold anything, or the end of a record with the blanks before the next one."""
FEWEST = 3
"""Records of one line; two may stand on one because threads raced."""


def find_runs(lines: list[str]) -> Undoing | None:
    """Find lines of many records."""
    found = any(sum(1 for _ in _ends(line)) >= FEWEST - 1 for line in lines)
    return Joining(_records) if found else None


def _ends(line: str) -> Iterator[tuple[int, int]]:
    """Yield where each record but the last ends, and where the next begins."""
    return (found.span("blanks") for found in _BETWEEN.finditer(line) if found["blanks"])


def _records(line: str) -> Iterator[tuple[str, bool]]:
    at = 0
    for end, start in _ends(line):
        yield line[at:end], False
        at = start
    yield line[at:], False
