"""Several traces in one paste: a bad and a good run, processes recorded apart. Each is to be read for itself.

Told apart by what shows it: the prompt of another strace, a headline, a process that starts after the end of all, a
clock that goes back. Only pastes are examined, never large files: these come from one strace.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

import msgspec

from tracediag.reading.margins.reversal import is_newest_first
from tracediag.reading.prefix import Clock, read_prefix
from tracediag.reading.records import is_prompt
from tracediag.reading.sources import open_source
from tracediag.trace.patterns import lazy_pattern

LONGEST = 1 << 17
"""Bytes of a file that may be a paste."""
_FEWEST = 2
"""Records of a trace; a headline over fewer is a remark."""
_LINE = 400
"""Characters of a headline or prompt."""
_BACK = 1.0
"""Seconds that a clock must go back: lines of several threads may be out of order by less."""
_HALF_DAY = 43200.0

_RECORD = lazy_pattern(r"(?:[a-z_][a-z0-9_]*\(|<\.\.\. \w+ resumed>|\+\+\+ |--- SIG)")
_END = lazy_pattern(r"\+\+\+ (?:exited with|killed by) ")
_BARE = lazy_pattern(r"(?<!\S)[0-9]{1,8}+(?=\s)")
"""A number before a record, behind a margin that is not undone here, may be a pid: then others may carry on."""
_HEADLINE = lazy_pattern(
    r"(?P<mark>={2,}>?|-{3,}|#{1,6}|\*{1,3}|>{3,}|\[)? *(?P<words>[\w./:,' -]{1,80}?) *"
    r"(?P<closing><?={2,}|-{3,}|#{1,6}|\*{1,3}|<{3,}|\]|:)?"
)
_RUN = lazy_pattern(
    r"\b(?:bad|good|broken|working|works|failing|fails?|failed|success\w*|ok|before|after|old|new|run|trace|server|client"
    r"|parent|child|process|pid|expected|actual|slow|fast)\b|\.(?:strace|trace|log|txt|out|[0-9]+)\b",
    re.IGNORECASE,
)
_MOST_WORDS = 4
_START = lazy_pattern(r"execve\(")


class Part(msgspec.Struct, frozen=True):
    """One trace of a paste."""

    label: str
    """The words of the headline or the command of the prompt above it; "" without one."""
    first: int
    """Its first line, 1-based."""
    lines: tuple[str, ...]

    @property
    def last(self) -> int:
        """Its last line."""
        return self.first + len(self.lines) - 1


def parts_of(source: object) -> tuple[Part, ...]:
    """Return the traces of a source, if it is a paste of several; else nothing. Raises `UnreadableError`."""
    if isinstance(source, str | os.PathLike):
        return split_traces(list(_lines_of(os.fspath(source))))
    if isinstance(source, list | tuple) and len(source) * 40 <= LONGEST and all(type(line) is str for line in source):
        return split_traces([line.rstrip("\r\n") for line in source])
    return ()


def _lines_of(path: str) -> Iterator[str]:
    try:
        if not os.path.isfile(path) or not 0 < os.path.getsize(path) <= LONGEST:  # noqa: PTH113, PTH202
            return
    except (OSError, ValueError):
        return
    for piece in open_source(path).pieces():
        yield from piece.split("\n")[:-1]


def split_traces(lines: Sequence[str]) -> tuple[Part, ...]:
    """Cut lines into the traces they hold; nothing if that is one."""
    if is_newest_first(lines):
        return ()
    starts = list(_starts(lines))
    parts: list[Part] = []
    ends = [at for at, _ in starts[1:]] + [len(lines)]
    for (at, label), end in zip(starts, ends, strict=True):
        parts.append(Part(label, at + 1, tuple(lines[at:end])))
    return tuple(parts) if len(parts) > 1 else ()


def _starts(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the index and the label of each trace, the first of which starts with the lines."""
    seen = _Seen()
    heads = _headlines(lines)
    label, began = "", 0
    for at, line in enumerate(lines):
        if (words := heads.get(at)) is not None:
            if seen.records >= _FEWEST:
                yield began, label
                began, seen = at, _Seen()
            label = words or label
        elif seen.is_over(line):
            yield began, label
            label, began, seen = "", at, _Seen()
            seen.is_over(line)
    yield began, label


def _headlines(lines: Sequence[str]) -> dict[int, str]:
    """Return the lines that announce a trace, each with its words, where enough records follow before the next one."""
    found: dict[int, str] = {}
    count, next_record = 0, ""
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        if _is_record(line):
            count, next_record = count + 1, line
        elif count >= _FEWEST and (words := _announces(line, next_record)) is not None:
            found[at] = words
            count = 0
    return found


def _announces(line: str, record: str) -> str | None:
    """Return the words of a line that announces the trace beginning with that record; None for any other line."""
    text = line.strip()
    if len(text) > _LINE or not text:
        return None
    if "strace" in text and is_prompt(text):
        return text[text.index("strace") :]
    headline = _HEADLINE.fullmatch(text)
    if (
        headline is None
        or not (headline["mark"] or headline["closing"] == ":")
        or _RUN.search(headline["words"]) is None
    ):
        return None
    words: str = headline["words"].strip()
    sure = headline["mark"] and headline["closing"] and len(words.split()) <= _MOST_WORDS
    return words if sure or _START.match(record, read_prefix(record[:200]).end) is not None else None


def _is_record(line: str) -> bool:
    return _RECORD.match(line, read_prefix(line[:200]).end) is not None


class _Seen:
    """What a trace has shown so far."""

    def __init__(self) -> None:
        self.records = 0
        self._ended = False
        self._clock = Clock()
        self._last: float | None = None

    def is_over(self, line: str) -> bool:
        """Take a line; return whether it is a record of another trace."""
        prefix = read_prefix(line[:200])
        if _RECORD.match(line, prefix.end) is None:
            return False
        if self._ended and prefix.pid is None:
            return True
        time = self._clock.read(prefix.kind, prefix.stamp) if prefix.kind in ("clock", "epoch") else None
        if time is not None and self._last is not None and _BACK < self._last - time < _HALF_DAY:
            return True
        self._last = self._last if time is None else time
        self.records += 1
        alone = prefix.pid is None and _BARE.search(line, 0, prefix.end) is None
        self._ended = alone and _END.match(line, prefix.end) is not None
        return False
