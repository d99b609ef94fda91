"""The state at one line, for people and for programs."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from tracediag.report.base import Look
from tracediag.report.canvas import Canvas
from tracediag.report.document import dump
from tracediag.report.grid import Column, cut, paint_grid
from tracediag.report.shorten import shorten
from tracediag.report.visible import visible
from tracediag.report.wrapping import wrap
from tracediag.results.state import Child, EpollState, Holder, Memory, OpenDescriptor, ProcessState, Standing, State
from tracediag.trace.quantities import plural, seconds
from tracediag.trace.shell import joined

SCHEMA = "tracediag-state/1"
"""The edition of the document."""

_LABEL = 10
_FEW = 4
"""Holders, and kinds of memory, that are named in one line."""
_CALL = 100
"""Columns of a call."""
_MEBI, _KIBI = 1 << 20, 1 << 10

_DESCRIPTORS = (
    Column("FD", "place", right=True),
    Column("KIND"),
    Column("FLAGS", "faint"),
    Column("BORN", "place"),
    Column("WHAT", "name"),
    Column("", "faint"),
)
_ENTRIES = (
    Column("FD", "place", right=True),
    Column("EVENTS"),
    Column("ADDED", "place"),
    Column("WHAT", "name"),
    Column("", "warning"),
)
_LOCKS = (Column("LOCK"), Column("RANGE"), Column("TAKEN", "place"), Column("ON", "name"))


def document(state: State) -> str:
    """Return the state as one JSON document on one line."""
    return dump({"schema": SCHEMA} | msgspec.to_builtins(state))


_PLURALS = {"child": "children", "entry": "entries", "process": "processes"}
_Row = TypeVar("_Row")


def picture(state: State, look: Look, limit: int = 0) -> str:
    """Return the state as text; with a limit, at most so many rows of each list (0: all)."""
    painter = _Painter(look, limit)
    painter.head(state)
    painter.body(state)
    return painter.canvas.take()


class _Painter:
    def __init__(self, look: Look, limit: int) -> None:
        self.canvas = Canvas(look)
        self._width = look.width
        self._limit = limit

    def head(self, state: State) -> None:
        since = [] if state.time is None or state.start is None else [f"+{state.time - state.start:.6f} s"]
        alive = plural(len(state.processes), "process").replace("processs", "processes")
        facts = [*since, f"{alive} alive", *([f"{state.ended:,} ended"] if state.ended else [])]
        self.canvas.line((f"after line {state.line:,}", "place"), (f"   {'   '.join(facts)}", "plain"))
        if not state.processes:
            self.canvas.line(("no process is left: name an earlier line, as TRACE:LINE", "faint"))

    def body(self, state: State) -> None:
        for process in self._some(state.processes, "process", 0):
            self._process(process, state)

    def _process(self, process: ProcessState, state: State) -> None:
        canvas = self.canvas
        canvas.blank()
        number = "the process" if process.pid is None else f"pid {process.pid}"
        command = joined(process.command) or process.program or ""
        canvas.line((number, "place"), (f"  {cut(visible(command), self._room(len(number) + 2))}", "name"))
        self._label("born", _birth(process))
        if process.directory is not None:
            since = "" if process.directory_line is None else f" (line {process.directory_line:,})"
            self._label("directory", f"{process.directory}{since}")
        for thread in self._some(process.threads, "thread"):
            self._label("standing", *_standing(thread, process, state))
        if process.unseen:
            numbers = ", ".join(map(str, process.unseen))
            self._label("not seen", f"fd {numbers}: the trace shows no use up to here; probably inherited")
        self._grid(_DESCRIPTORS, [_descriptor(each, process.pid) for each in process.descriptors], "descriptor")
        for epoll in self._some(process.epolls, "epoll set"):
            self._epoll(epoll)
        rows = [
            (f"{lock.kind} {'write' if lock.exclusive else 'read'}", lock.range, f"line {lock.line:,}",
             f"fd {lock.number}" + (f" = {lock.what}" if lock.what else ""))
            for lock in process.locks
        ]  # fmt: skip
        self._grid(_LOCKS, rows, "lock")
        if process.memory.count:
            self._label("memory", _memory(process.memory))
        for child in self._some(process.children, "child"):
            self._label("child", *_child(child))

    def _epoll(self, epoll: EpollState) -> None:
        born = "" if epoll.line is None else f" (line {epoll.line:,})"
        count = plural(len(epoll.entries), "entry").replace("entrys", "entries")
        self._label("epoll set", f"fd {epoll.number}{born}: {count}")
        rows = [
            (
                str(entry.number),
                "?" if entry.events is None else " ".join(event.removeprefix("EPOLL") for event in entry.events),
                "" if entry.line is None else f"line {entry.line:,}",
                entry.what or "",
                "stale: this fd is closed, another descriptor keeps the entry" if entry.stale else "",
            )
            for entry in epoll.entries
        ]
        self._grid(_ENTRIES, rows, "entry", indent=4)

    def _grid(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], what: str, indent: int = 2) -> None:
        if not rows:
            return
        paint_grid(self.canvas, columns, rows[: self._limit or None], indent, self._width)
        self._tell_rest(len(rows), what, indent)

    def _some(self, rows: Sequence[_Row], what: str, indent: int = 2) -> Iterator[_Row]:
        """Yield as many rows as the limit permits; then tell how many are left."""
        yield from rows[: self._limit or None]
        self._tell_rest(len(rows), what, indent)

    def _tell_rest(self, count: int, what: str, indent: int) -> None:
        rest = count - self._limit if self._limit else 0
        if rest > 0:
            more = f"1 more {what}" if rest == 1 else f"{rest:,} more {_PLURALS.get(what, what + 's')}"
            self.canvas.line((f"{' ' * indent}… {more}: --limit 0 shows all", "faint"))

    def _label(self, label: str, text: str, style: str = "plain") -> None:
        for place, line in enumerate(wrap(text, self._room(_LABEL + 2))):
            self.canvas.line((f"  {'' if place else label:<{_LABEL}}", "label"), (line, style))

    def _room(self, used: int) -> int | None:
        return None if self._width is None else max(self._width - used, 20)


def _birth(process: ProcessState) -> str:
    parts = []
    if process.line is None:
        parts.append("before the trace" if process.executed is None else "")
    else:
        parent = "" if process.parent is None else f" by pid {process.parent}"
        parts.append(f"line {process.line:,}{parent}")
    if process.executed is not None:
        parts.append(f"executed at line {process.executed:,}")
    if not process.followed:
        parts.append("not followed: the trace shows no call of it up to here")
    return ", ".join(part for part in parts if part)


def _standing(thread: Standing, process: ProcessState, state: State) -> tuple[str, str]:
    name = "" if len(process.threads) < 2 or thread.tid is None else f"thread {thread.tid}  "
    if thread.call is None or thread.line is None:
        return f"{name}no call up to here", "faint"
    call = shorten(visible(thread.call), _CALL)
    long = ""
    if thread.since is not None and state.time is not None and state.time > thread.since:
        long = f" for {seconds(state.time - thread.since)}"
    if thread.ending:
        return f"{name}ends with {re.split(r' = [?]| <unfinished', call)[0].rstrip()} at line {thread.line:,}", "faint"
    if not thread.blocked:
        if thread.stopped is not None and thread.stopped_line is not None:
            name += f"stopped by {thread.stopped} at line {thread.stopped_line:,}"
            return f"{name}; line {thread.line:,} was {call}", "name"
        return f"{name}running; line {thread.line:,} was {call}", "plain"
    waits = f"; waits for {_listed(thread.waits_for)}" if thread.waits_for else ""
    return f"{name}inside {_unfinished(call)} since line {thread.line:,}{long}{waits}", "name"


def _unfinished(call: str) -> str:
    """Return the first half of a call with a mark for the arguments that only its end shows."""
    shown, mark, _ = call.partition(" <unfinished ...>")
    return f"{shown.rstrip(', ')}{'' if shown.endswith('(') else ', '}…)" if mark else call


def _listed(words: Sequence[str]) -> str:
    more = f" and {len(words) - _FEW:,} more" if len(words) > _FEW else ""
    return ", ".join(words[:_FEW]) + more


def _descriptor(each: OpenDescriptor, pid: int | None) -> tuple[str, ...]:
    born = "before" if each.line is None else f"line {each.line:,} {each.call}"
    return (str(each.number), each.kind, " ".join(each.flags), born, each.what or "", "; ".join(_notes(each, pid)))


def _notes(each: OpenDescriptor, pid: int | None) -> Iterator[str]:
    yield from each.condition
    if each.origin:
        yield each.origin
    if each.shared_with:
        yield f"also {_holders(each.shared_with, pid)}"
    if each.other_end:
        yield f"other end {_holders(each.other_end, pid)}"


def _holders(holders: Sequence[Holder], pid: int | None) -> str:
    named = [f"fd {each.number}" + ("" if each.pid == pid else f" of pid {each.pid}") for each in holders]
    return _listed(named)


def _memory(memory: Memory) -> str:
    kinds: Counter[str] = Counter()
    for region in memory.regions:
        kinds[posixpath.basename(region.what) or region.what] += region.length
    named = [f"{name} {_bytes(length)}" for name, length in kinds.most_common()]
    return f"{plural(memory.count, 'mapping')}, {_bytes(memory.total)}: {_listed(named)}"


def _bytes(number: int) -> str:
    return f"{number / _MEBI:,.1f} MiB" if number >= _MEBI else f"{number / _KIBI:,.0f} KiB"


def _child(child: Child) -> tuple[str, str]:
    place = "" if child.line is None else f", born at line {child.line:,}"
    program = f"  {child.program}" if child.program else ""
    if child.ended is not None:
        return f"pid {child.pid}{program}{place}: a zombie, {child.ended} at line {child.ended_line or 0:,}", "warning"
    return f"pid {child.pid}{program}{place}", "plain"
