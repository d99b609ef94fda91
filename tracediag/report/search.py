"""The matches of a query, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from tracediag.report.base import Look
from tracediag.report.canvas import Canvas, plain_text
from tracediag.report.document import dump
from tracediag.report.grid import Column, paint_grid
from tracediag.report.visible import visible
from tracediag.results.search import Context, Found, FoundCall, Groups
from tracediag.results.tables import Source
from tracediag.trace.quantities import count, plural, seconds

SCHEMA = "tracediag-search/1"
"""The edition of the document of matches."""
GROUPS_SCHEMA = "tracediag-groups/1"
"""The edition of the document of grouped matches."""

_LINE = 8
_PID = 7


def groups_document(groups: Groups) -> str:
    """Return the groups as one JSON document on one line."""
    return dump({"schema": GROUPS_SCHEMA} | msgspec.to_builtins(groups))


def document(query: str, matches: Iterable[Found], source: Callable[[], Source]) -> Iterator[str]:
    """Yield the matches as one JSON document on one line, in pieces, each match as it is found.

    Args:
        query: its text.
        matches: the matches, found while this is iterated over.
        source: returns the trace; called last, when it has been read.
    """
    head = dump({"schema": SCHEMA, "query": query}).rstrip()[:-1]
    yield f'{head}, "matches": ['
    for number, found in enumerate(matches):
        yield ("" if number == 0 else ", ") + dump(found).rstrip()
    yield f'], "source": {dump(source()).rstrip()}}}\n'


class _Plain:
    """Collects lines without colour: a search may find a million, and rich takes a tenth of a millisecond for each."""

    def __init__(self, look: Look) -> None:
        self._ascii_only = look.ascii_only
        self._lines: list[str] = []

    def line(self, *parts: tuple[str, str]) -> None:
        """Add one line, made of (text, name of the style) pairs; control bytes are made visible here."""
        self._lines.append(self.shown("".join(content for content, _ in parts)))

    def shown(self, text: str) -> str:
        """Return a line of text as it is printed."""
        text = visible(text).rstrip()
        return plain_text(text) if self._ascii_only else text

    def take(self) -> str:
        """Return the lines since the last time."""
        lines, self._lines = self._lines, []
        return "".join(f"{line}\n" for line in lines)


class Lines:
    """Renders matches as text, one after the other."""

    def __init__(self, look: Look) -> None:
        self._canvas = Canvas(look) if look.colour else _Plain(look)
        self._last = 0
        """The last line of the trace that was printed."""

    def render(self, matches: Iterable[Found]) -> Iterator[str]:
        """Yield the text of each match. A line between two matches is printed once."""
        previous: Found | None = None
        for found in matches:
            if previous is not None:
                yield self._match(previous, found.calls[0].line)
            previous = found
        if previous is not None:
            yield self._match(previous, None)

    def _match(self, found: Found, until: int | None) -> str:
        canvas = self._canvas
        if isinstance(canvas, _Plain) and _is_bare(found):
            call = found.calls[0]
            self._last = max(self._last, call.line)
            pid = "" if call.pid is None else f"{call.pid:<{_PID}}"
            time = "" if call.time is None else f"{call.time:.6f}  "
            return f"{canvas.shown(f'{call.line:>{_LINE}}: {pid}{time}{call.text}')}\n"
        self._gap(found)
        for row in found.before:
            self._context(row)
        if found.object:
            times = f" × {count(found.count)}" if found.count > len(found.calls) else ""
            self._canvas.line((found.object, "name"), (times, "faint"))
        for call in dict.fromkeys(found.calls):  # of one call that is a match of count or sum, both are the same
            self._call(call)
        for reason in found.why:
            self._canvas.line((" " * _LINE + "  └─ ", "faint"), (reason.part, "label"), (f": {reason.value}", "plain"))
        for row in found.after:
            if until is None or row.line < until:
                self._context(row)
        return self._canvas.take()

    def _gap(self, found: Found) -> None:
        first = found.before[0].line if found.before else found.calls[0].line
        if (found.before or found.after) and self._last and first > self._last + 1:
            self._canvas.line(("--", "faint"))

    def _context(self, row: Context) -> None:
        if row.line > self._last:
            self._last = row.line
            self._canvas.line(*_place(row.line, row.pid, row.time, "-"), (row.text, "faint"))

    def _call(self, call: FoundCall) -> None:
        self._last = max(self._last, call.line)
        self._canvas.line(*_place(call.line, call.pid, call.time, ":"), (call.text, "plain"))


def _is_bare(found: Found) -> bool:
    """Whether a match is one call and nothing else, as nearly all are."""
    return not (found.object or found.why or found.before or found.after) and len(found.calls) == 1


def _place(line: int, pid: int | None, time: float | None, mark: str) -> list[tuple[str, str]]:
    parts = [(f"{line:>{_LINE}}{mark} ", "place")]
    if pid is not None:
        parts.append((f"{pid:<{_PID}}", "faint"))
    if time is not None:
        parts.append((f"{time:.6f}  ", "faint"))
    return parts


def table(groups: Groups, look: Look) -> str:
    """Return the groups as a table."""
    canvas = Canvas(look)
    timed = any(group.total is not None for group in groups.groups)
    columns = [Column("CALLS", right=True), *([Column("TIME", right=True)] if timed else [])]
    columns += [Column("FIRST", "place", right=True), Column(groups.by.upper(), "name")]
    rows = []
    for group in groups.groups:
        took = [] if not timed else ["" if group.total is None else seconds(group.total)]
        rows.append([count(group.calls), *took, count(group.first), group.value or "(none)"])
    paint_grid(canvas, columns, rows)
    if groups.left_out:
        canvas.line((f"{plural(groups.left_out, 'more value')}; -n 0 shows all", "faint"))
    return canvas.take()
