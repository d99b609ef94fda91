"""The right margin: what stands after each line, such as the side of a box or the end of bold type."""

from __future__ import annotations

from collections import Counter

from tracediag.reading.margins.starts import start_of
from tracediag.reading.margins.undoing import Each
from tracediag.trace.patterns import lazy_pattern

_END = lazy_pattern(r"[|│┃║`;\\]$|\*\*$|__$|~~$|  $")
SHARE = 0.6


def find_underlines(lines: list[str]) -> Each | None:
    """Find lines in bold type of Markdown, whose marks before a record look like a part of its name."""
    marked = [line for line in lines if line.startswith("__") and line.endswith("__")]
    if 2 * sum(start_of(line[2:-2]) >= 0 for line in marked) <= len(lines):
        return None
    return Each(lambda line: line[2:-2] if line.startswith("__") and line.endswith("__") else line)


def find_right_margin(lines: list[str]) -> Each | None:
    """Find the mark that most lines with a record end with; strace ends no record with any of these."""
    records = [line for line in lines if start_of(line) >= 0]
    ends = Counter(found[0] for line in records if (found := _END.search(line)) is not None)
    if not ends:
        return None
    mark, count = ends.most_common(1)[0]
    if count < SHARE * len(records):
        return None
    return Each(lambda line: line[: -len(mark)].rstrip() if line.endswith(mark) else line)
