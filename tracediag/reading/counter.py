"""Counts the calls of a trace without creating an event for each: for summaries of traces with millions of lines.

One expression, built for the form of this recording, matches complete calls and captures only what a count needs;
first halves are paired with their second halves here; every other line goes to `slowpath`, as in `scanner`. A test
checks that the counts equal those of the events of `Reader`.

The expression is safe because it matches a line only if the first `) ` is the one before the result: then no other
`) = 3` can exist, neither in a string nor in an annotation. If an earlier parenthesis is followed by a space, the
arguments are skipped over as in `frame`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, MutableMapping
from typing import Protocol

from tracediag.parsing import parser_for
from tracediag.reading.assemble import Assembler
from tracediag.reading.dialect import Dialect, Shape, decide
from tracediag.reading.frame import is_arguments
from tracediag.reading.halves import Half, Place
from tracediag.reading.header import no_stranger
from tracediag.reading.margins import opened
from tracediag.reading.output import WRITERS
from tracediag.reading.prefix import Clock
from tracediag.reading.reader import AnySource, Reader
from tracediag.reading.records import read_record
from tracediag.reading.slowpath import SlowPath
from tracediag.reading.sources import Progress, Stream, UnreadableError
from tracediag.reading.strangers import strangers_of
from tracediag.trace.events import Event
from tracediag.trace.numbers import Numbers
from tracediag.trace.records import Record

_MARK = len("<unfinished ...>")
MOST_NAMES = 1 << 12
"""With more call names than this, which no trace of Linux has, calls come as events."""

# [0-9] and not \\d: to test for all of Unicode's digits takes a third more time. An empty branch, (?:x|), and not
# (?:x)?: that one keeps books of its repeats.
_PID = {
    "file": r"([0-9]{1,10}+)(?:<[^<>\n]*+>|) ++",
    "bracket": r"(?:\[pid ++([0-9]{1,10}+)(?:<[^<>\n]*+>|)\] |)",
}
_TIME = {
    "epoch": r"[0-9]{10}+(?:\.[0-9]++|) ",
    "clock": r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]++|) ",
    "relative": r" *+[0-9]{1,8}+(?:\.[0-9]++|) ",
    "none": "",
}
_CONTEXT = r"\[(?!pid )[A-Za-z_][^\]\[ \n]*+\] "
_BEHIND_TIME = (r"\(\+ *+[0-9.]++\) ", r"\[ *+[0-9]{1,7}+\] ", r"\[[ 0-9a-f?]{8,17}\] ")
_NAME = r"((?:<\.\.\. |)[a-z_][a-z_0-9]*+)(?:\(| resumed>)"
_BEGUN = r"(.*+)(?<=<unfinished \.\.\.>)"
_RESULT = r" ++= (?:[0-9]{1,24}+|0x[0-9a-f]{1,16}+|-[0-9]{1,24}+)"
_NOTE = r"(?:<(?:[^<>\"\\\n-]++|->?|<[^<>\"\\\n]++>)*+>|)"
_TOOK = r" <[0-9]{1,20}+(?:\.[0-9]{1,64}+|)>"
_END = rf"({_TOOK}|(?: E[A-Z0-9_]++ \([^()\n]*+\)| \((?!INJ|DEL|errno )[^()\[\n]++\)|)(?:{_TOOK}|))"
_PARTS = re.compile(r"(?: (E[A-Z0-9_]++) \([^()]*+\)| \([^()]*+\))?(?: <([0-9.]++)>)?")


def read_end(end: str) -> tuple[str | None, str | None]:
    """Return the errno, and the seconds inside the call as recorded, from the text after a result."""
    match = _PARTS.fullmatch(end)
    return (None, None) if match is None else (match[1], match[2])


def _prefix(shape: Shape, strangers: Collection[str] = ()) -> str:
    style, kind, context, *extras = shape
    parts = [_PID.get(style, _PID["bracket"]), _CONTEXT if context else "", _TIME[kind]]
    parts += [extra for extra, there in zip(_BEHIND_TIME, extras, strict=True) if there]
    return "".join(parts) + no_stranger(strangers)


def _complete(*, within: str) -> str:
    """Return the expression of arguments up to the first `) ` and the result; `within` never occurs in them."""
    to_next = rf"[^){within}]*+\)"
    more = rf"(?:[^) \n]{to_next}|\))*+"
    return rf"{to_next}(?:[^) \n]{to_next}{more}|\){more}|){_RESULT}{_NOTE}{_END}"


def _lines(shape: Shape, strangers: Collection[str], *, within: str) -> re.Pattern[str]:
    """Return the expression of one line; its groups: pid, name, rest of a first half, end of a call; any other line."""
    return re.compile(rf"{_prefix(shape, strangers)}{_NAME}(?:{_BEGUN}|{_complete(within=within)})\n|(.*)\n")


def _other_calls(shape: Shape, strangers: Collection[str]) -> re.Pattern[str]:
    """Return the expression of the other complete calls, with `) ` in the arguments or no result: the third group."""
    return re.compile(rf"{_prefix(shape, strangers)}{_NAME}(.*)\)(?:{_RESULT}| ++= (\?)){_NOTE}{_END}")


class Groups(Protocol):
    """The counts by call name, or by pid as the trace prints it, "" without a pid."""

    def __getitem__(self, key: str, /) -> MutableMapping[str, int]:
        """Return the counts of that key by the text after the result: see `read_end`."""

    def settle(self) -> None:
        """Note that a piece of text is done: the counts may be collected before they grow too large."""


class CallCounter(Reader):
    """Reads one trace once: iterate over it to count the calls; calls that need care come as events.

    A call that comes as an event, such as one that never returned, is not counted in the groups. The events have no
    durations if times are relative (`-r`).
    """

    def __init__(
        self,
        source: AnySource,
        groups: Groups,
        *,
        by_pid: bool = False,
        apart: Collection[str] = (),
        progress: Progress | None = None,
    ) -> None:
        """Open the source as `Reader` does. Raises `UnreadableError`.

        Calls named in `apart` come as events, but for those on one line that failed.
        """
        super().__init__(source, progress=progress)
        self._groups = groups
        self._by_pid = by_pid
        self._apart = frozenset(apart)
        self._numbers = Numbers({"": None})
        self._plain: set[str] = set()
        """Names of calls seen before that do not come as events."""
        self._second: dict[str, str] = {}
        """The same names by the start of a second half: "<... read"."""

    def _parts(self) -> Iterator[Iterator[Event]]:
        """Yield the iterators that together yield all events."""
        _, sample, self.turned, pieces = opened(self._source.pieces(self._progress))
        self.dialect = decide(sample)
        self.dialect.strangers = strangers_of(sample, self.dialect)
        self._prepare(self.dialect)
        for piece in pieces:
            yield self._read(piece)
            self._groups.settle()
        yield self._slow.finish()

    def _prepare(self, dialect: Dialect) -> None:
        """Build the expressions for the form of the first lines."""
        if isinstance(self._source, Stream) and self._source.binary and not dialect.records:
            self._source.close()
            raise UnreadableError(self._source.name, "this is a binary file, not a trace")
        assembler = Assembler(self.counts, Clock(), parser_for, _everything, failures=True)
        self._slow = SlowPath(dialect, self.counts, assembler)
        self._find = _lines(dialect.shape, dialect.strangers, within="").findall
        self._find_strictly = _lines(dialect.shape, dialect.strangers, within=r"\n").findall
        self._match_prefix = re.compile(_prefix(dialect.shape)).match
        self._match_call = _other_calls(dialect.shape, dialect.strangers).fullmatch

    def _read(self, piece: str) -> Iterator[Event]:
        """Read a piece; one long function for the reason given in `scanner`."""
        slow, groups, by_pid = self._slow, self._groups, self._by_pid
        joiner, plain, second, apart = slow.assembler.joiner, self._plain, self._second, self._apart
        pending, numbers = joiner.pending, self._numbers
        rows = self._find(piece)
        if len(rows) != piece.count("\n"):  # a match ran into the next line, searching for a parenthesis
            rows = self._find_strictly(piece)
        begun, resumed, others, before = 0, 0, 0, self.counts.lines
        slow.window.move(piece, before)
        careful = slow.busy
        yield from joiner.make_room()
        for number, (pid, name, rest, end, other) in enumerate(rows, before + 1):
            if name in plain and not (rest or pid in pending or careful):
                groups[pid if by_pid else name][end] += 1
                continue
            if not careful:
                if not name:
                    record, pid, name, end = self._other(other)  # noqa: PLW2901
                    if record is not None:
                        others += 1
                        yield from slow.assembler.record(Place(number, numbers[pid]), record)
                        continue
                if name in second:
                    name = second[name]  # noqa: PLW2901
                    if not rest and pid in pending and pending[pid].name == name:
                        resumed += 1
                        del pending[pid]
                        groups[pid if by_pid else name][end] += 1
                        continue
                elif not (name in plain or self._is_plain(name) or (end[:2] == " E" and name in apart)):
                    pass
                elif not rest:
                    if pid in pending:
                        yield from joiner.give_up(pid)
                    groups[pid if by_pid else name][end] += 1
                    continue
                elif ")" not in rest or _is_begun(rest):
                    begun += 1
                    if pid in pending:
                        yield from joiner.give_up(pid)
                    if by_pid:
                        groups[pid]  # the pid may belong to another process when the call returns
                    body = rest[:-_MARK].rstrip(" ") if name in WRITERS else ""  # others' arguments are of no use
                    pending[pid] = Half(number, numbers[pid], None, name, body)
                    continue
            others += 1
            yield from slow.read(number, slow.window.line(number))
            careful = slow.busy
        self._book(len(rows), begun, resumed, others)

    def _is_plain(self, name: str) -> bool:
        """Record a name; return whether its calls may be counted."""
        if not name or name in self._apart or name[0] == "<" or len(self._plain) >= MOST_NAMES:
            return False
        self._plain.add(name)
        self._second[f"<... {name}"] = name
        return True

    def _other(self, line: str) -> tuple[Record | None, str, str, str]:
        """Read a line that the first expression did not match: a record, or pid, name and end of a complete call.

        The name is "" if it is neither.
        """
        if line.endswith((" +++", " ---")):
            head = self._match_prefix(line)
            record = None if head is None else read_record(line[head.end() :])
            if head is not None and record is not None:
                return record, head[1] or "", "", ""
        found = None if line.endswith("...>") else self._match_call(line)
        if found is None or not is_arguments(found[3]) or (found[4] and found[3].endswith("...>")):
            return None, "", "", ""
        return None, found[1] or "", found[2], found[5]

    def _book(self, lines: int, begun: int, resumed: int, others: int) -> None:
        """Add the lines of a piece to the counts; the others are counted already."""
        complete = lines - begun - resumed - others
        self.counts.lines += lines
        self.counts.calls += complete + resumed
        for kind, count in (("call", complete), ("begun", begun), ("resumed", resumed)):
            if count:
                self.counts.add(kind, count)


def _is_begun(rest: str) -> bool:
    """Return whether this is a first half, and not a call with `<unfinished ...>` after its result."""
    return ") " not in rest or is_arguments(rest[:-_MARK])


def _everything(_: str) -> bool:
    return True
