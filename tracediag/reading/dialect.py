"""Detects the form of a recording from its first lines, because one line alone can be ambiguous."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import msgspec

from tracediag.reading.prefix import Bare, Prefix, TimeKind, read_prefix
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern

NARROWEST = 40
"""A terminal has at least so many columns."""
LONGEST = 4096
_RESULT = lazy_pattern(r"\)[ \t]*+= |\.\.\.>$|[-+]{3}$")
_GLANCE = 200
_GLANCES = 32
_BEGIN = r"(?:^|[ \]>])(?:<\.\.\. )?"
_UNCLASSED = lazy_pattern(
    rf"{_BEGIN}(?:set_robust_list|set_tid_address|rseq|prlimit64|getrandom|arch_prctl)(?:\(| resumed>)", re.MULTILINE
)
"""Calls of no class of `strace -e trace=`, which no filter names either."""
_NAMED = lazy_pattern(rf"{_BEGIN}(?:futex|sched_yield|clock_nanosleep|restart_syscall)(?:\(| resumed>)", re.MULTILINE)
"""Calls of no class that a filter names, such as `-e trace=futex` for locks."""
_MEMORY = lazy_pattern(rf"{_BEGIN}(?:mmap|munmap|mprotect|madvise|brk)(?:\(| resumed>)", re.MULTILINE)
"""Calls that no filter records beside those: each thread makes some."""
_RECORD = lazy_pattern(r"[a-z_?][\w?]*+\(|<\.\.\. |--- |\+\+\+ ")
_DURATION = lazy_pattern(r" <\d+(?:\.\d+)?>$")
_PATH = lazy_pattern(
    r"(?:[(\[,=] ?|AT_FDC)(?:WD|\d+)<(?:/|\\x2f|socket:|pipe:|anon_inode:|[A-Z][\w-]*:\[|\{eventfd|signalfd:|pid:)"
)
_SOCKET = lazy_pattern(
    r"\d<(?:TCP|UDP|UNIX|NETLINK|RAW|PING|SCTP|DCCP|L2TP|XDP|PACKET|char |block )|<char \d|<(?:TCP|UDP)v6:"
)
_CUT = lazy_pattern(r'(?<!PR_SET_NAME, )(?<!PR_SET_NAME \*/, )(?<!prctl\(0xf, )"((?>[^"\\]++|\\.)*+)"\.\.\.')
"""A string that strace cut as `-s` asks; the name of a thread is cut at 15 bytes, whatever that is."""
_ESCAPE = lazy_pattern(r"\\(?:x[0-9a-f]{2}|[0-7]{1,3}|.)")
_BARE = lazy_pattern(rf"(?P<blanks> *)(?P<number>[0-9]{{1,8}}+)(?: +)(?:{_RECORD.pattern})")

Shape = tuple[str, TimeKind, bool, bool, bool, bool]


class Dialect(msgspec.Struct):
    """The form of one recording; a field that is false names what a better recording would add."""

    has_pids: bool = False
    """Lines carry the pid of their process or thread (`-f`)."""
    time_kind: TimeKind = "none"
    has_durations: bool = False
    """Calls carry the time spent inside them (`-T`)."""
    has_fd_paths: bool = False
    """Descriptors are annotated (`-y`)."""
    has_socket_details: bool = False
    """Descriptors of sockets are annotated with their addresses (`-yy`)."""
    bare: Bare = "pid"
    """The meaning of a short number at the start of a line."""
    shape: Shape = ("none", "none", False, False, False, False)
    """The prefix that most lines have: style of the pid, kind of time, context, second time, number, pointer."""
    strangers: frozenset[str] = frozenset()
    """Names that stand like those of calls in lines that strace did not write."""
    width: int = 0
    """The column at which all longer lines are cut off, by a terminal or `cut -c`; 0 if they are complete."""
    records: int = 0
    """How many of the first lines begin like an strace record."""
    interrupted: bool = False
    """`-d` prints messages that hold `) = ` into the calls: every line is read with care."""
    has_every_call: bool = False
    """Calls are shown that are in no class of `strace -e trace=`, so no filter is at work."""
    has_symbols: bool = True
    """Constants have names, or a number with a remark; false with `-X raw`."""
    strings_cut: int | None = None
    """The length at which strings are cut (`-s`), in bytes; None if none of the first lines has such a string."""
    glances: int = 0
    """How many pieces were searched for such a call."""

    def observe(self, line: str) -> None:
        """Record the properties that a line is the first to show."""
        self.has_durations = self.has_durations or _DURATION.search(line) is not None
        self.has_fd_paths = self.has_fd_paths or _PATH.search(line) is not None
        self.has_socket_details = self.has_socket_details or _SOCKET.search(line) is not None

    def glance(self, piece: str) -> None:
        """Record the properties that the first lines of a piece show, until all have been seen."""
        if not self.has_every_call and self.glances < _GLANCES:
            self.glances += 1
            self.has_every_call = _is_unfiltered(piece)
        if not (self.has_durations and self.has_fd_paths):
            for line in piece[:_GLANCE].split("\n"):
                self.observe(line)
        elif not self.has_socket_details:  # of programs without a socket, at each piece
            self.has_socket_details = _SOCKET.search(piece[:_GLANCE]) is not None


def decide(sample: Iterable[str]) -> Dialect:
    """Detect the form of a recording from its first lines."""
    lines = [line[:LONGEST] for line in sample]
    dialect = Dialect(bare=_bare(lines), interrupted=any("[wait(0x" in line for line in lines))
    dialect.strings_cut = max((_length(cut[1]) for line in lines for cut in _CUT.finditer(line)), default=None)
    dialect.has_every_call = _is_unfiltered("\n".join(lines))
    shapes: Counter[Shape] = Counter()
    for line in lines:
        prefix = read_prefix(line, dialect.bare)
        if _RECORD.match(line, prefix.end) is None:
            continue
        dialect.records += 1
        dialect.observe(line)
        dialect.has_pids = dialect.has_pids or prefix.pid is not None
        shapes[_shape(prefix)] += 1
    dialect.width = _width(lines)
    if shapes:
        dialect.shape = shapes.most_common(1)[0][0]
        dialect.time_kind = dialect.shape[1]
    return dialect


def _is_unfiltered(text: str) -> bool:
    """Whether lines show calls that a recording with a filter (`strace -e trace=`) would lack."""
    if _UNCLASSED.search(text) is not None:
        return True
    return _NAMED.search(text) is not None and _MEMORY.search(text) is not None


def _length(quoted: str) -> int:
    """Return the number of bytes of a string that strace has quoted."""
    return len(_ESCAPE.sub(".", quoted))


def _width(lines: list[str]) -> int:
    """Return the length of the longest lines, if several have it and show no result."""
    width = max(map(len, lines), default=0)
    cut = sum(len(line) == width and _RESULT.search(line) is None for line in lines)
    return width if cut > 1 and NARROWEST <= width < LONGEST else 0


def _shape(prefix: Prefix) -> Shape:
    return ("file" if prefix.style == "file" else "bracket", prefix.kind, *prefix.extras)


def _bare(lines: list[str]) -> Bare:
    """Decide between a pid, left-justified in five columns, and a number of seconds, right-justified in six."""
    found = [match for line in lines if (match := _BARE.match(line)) is not None]
    if not found:
        return "pid"
    zeros = sum(checked_integer(match["number"]) == 0 for match in found)
    if checked_integer(found[0]["number"]) == 0 or 4 * zeros >= len(found):
        return "relative"
    widths = {match.end("number") for match in found}
    digits = {len(match["number"]) for match in found}
    indented = all(match["blanks"] for match in found)
    return "relative" if indented and widths == {6} and len(digits) > 1 else "pid"
