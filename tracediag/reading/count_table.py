"""The table that `strace -c` and `-C` print: which columns it has, and the counts of a row.

The columns are those of strace -U, in any order; the default is `% time, seconds, usecs/call, calls, errors, syscall`.
Cells are told apart by blanks and not by their place, because a large number pushes its row to the right and a paste
may lose blanks: only the column of errors may be empty.
"""

from __future__ import annotations

from tracediag.trace.numbers import checked_integer, integer
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import CountRow

_TITLES = lazy_pattern(r"% time|seconds|usecs/call|shortest|longest|calls|errors|syscall")
_HEADER = lazy_pattern(rf"(?=.*\bsyscall\b)[% ]*(?:(?:{_TITLES.pattern})\s*+){{2,}}$")
_MODE = lazy_pattern(r"System call usage summary for .* mode:\s*$")
_RULER = lazy_pattern(r"-{4,}(?: -{4,})+\s*$")
_LONE_ROW = lazy_pattern(r" {0,2}\d{1,3}[.,]\d\d +\d++[.,]\d++(?: +[\d.,]++)* +[a-z_?]\w*+\s*$")
"""A row in the default columns, which is recognised without the head of its table."""
_TOTAL = lazy_pattern(r"[ \d.,]*\btotal(?: +[\d.,]+)*\s*$")
_NAME = lazy_pattern(r"[a-z_?]\w*+")
_SECONDS = lazy_pattern(r"(?P<whole>[0-9]{1,18}+)[.,](?P<part>[0-9]{1,9}+)")
_USUAL = ("% time", "seconds", "usecs/call", "calls", "errors", "syscall")


class CountTable:
    """Recognises the lines of such a table, one after the other."""

    def __init__(self) -> None:
        self._columns = _USUAL
        self._open = False

    def read(self, line: str) -> CountRow | bool:
        """Return the counts of a row, or whether the line is any other part of a table."""
        if _HEADER.match(line) is not None:
            self._columns = tuple(_TITLES.findall(line))
            self._open = True
            return True
        if _MODE.match(line) is not None or _RULER.match(line) is not None:
            self._open = True
            return True
        if self._open and _TOTAL.match(line) is not None:
            self._open = False
            return True
        if not self._open and _LONE_ROW.match(line) is None:
            return False
        self._open = self._open and "(" not in line
        return self._row(line) or self._open

    def _row(self, line: str) -> CountRow | None:
        cells = line.split()
        columns = [title for title in self._columns if title != "errors" or len(cells) == len(self._columns)]
        if len(cells) != len(columns):
            return None
        row = dict(zip(columns, cells, strict=True))
        calls, errors = (integer(row.get(title, "0")) for title in ("calls", "errors"))
        if calls is None or errors is None or _NAME.fullmatch(row["syscall"]) is None:
            return None
        time = _nanoseconds(row.get("seconds", ""))
        return CountRow(line=0, text=line, name=row["syscall"], calls=calls, errors=errors, nanoseconds=time)


def _nanoseconds(cell: str) -> int | None:
    found = _SECONDS.fullmatch(cell)
    return (
        None
        if found is None
        else checked_integer(found["whole"]) * 10**9 + checked_integer(found["part"].ljust(9, "0"))
    )
