"""What a search steps over: the expression of the lines that certainly are other calls than the sought ones."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import TypeGuard

import msgspec

from tracediag.reading.dialect import Dialect
from tracediag.reading.halves import Half
from tracediag.reading.header import header_expression, no_stranger, prefix_expression

MOST_CUTS = 8
"""Lines of one run that are looked for: each search is for every half that waits."""
MOST_NAMES = 256
"""With more names than this, no line is compared with all of them."""
_NAME = r"[a-z_][a-z_0-9]*+"
_TO_RESULT = r"(?>.*= )(?<=\) = |  = )"
"""Up to the last `= ` of the line: whatever a string holds, no other result follows it."""


class Sought(msgspec.Struct, frozen=True):
    """What a search is for: it needs no other calls."""

    calls: frozenset[str] | None = None
    """Their names; None if any."""
    errnos: frozenset[str] | None = None
    """The errors that they return; None if any or none."""
    texts: tuple[str, ...] = ()
    """Texts of which each shows at least one in its arguments; () if none is known."""

    @property
    def is_narrow(self) -> bool:
        """Whether enough is known for lines to be stepped over."""
        return _are_few(self.calls) or self.errnos is not None or bool(self.texts)


def _are_few(calls: frozenset[str] | None) -> TypeGuard[frozenset[str]]:
    return calls is not None and len(calls) <= MOST_NAMES


class Rows:
    """The rows of a piece: runs of lines that do not matter, and the other lines one by one.

    A row has the text of a run, then pid, time stamp, mark of a second half, name and text after the head of a call;
    all are "" for any other line.
    """

    def __init__(self, dialect: Dialect, sought: Sought) -> None:
        self._texts = sought.texts
        self._style = dialect.shape[0]
        self.with_halves = self._style == "file" and _are_few(sought.calls)
        """Whether runs have halves of calls: then none of them is kept."""
        line = header_expression(dialect.shape, dialect.strangers).pattern.removesuffix("(.*)\n") + r".*\n"
        self._find = re.compile(f"((?>{_line(dialect, sought)})++)|{line}").findall
        other = _line(dialect, Sought(sought.calls)) if _are_few(sought.calls) else "(?!)"
        self._line = re.compile(f"({other})|{line}").match
        self._single = re.compile(f"()(?:{line})")

    def first_stamp(self, piece: str) -> str | None:
        """Return the time stamp of the first line of a piece; None if it has none or is no call."""
        found = self._single.match(piece)
        return None if found is None else found[3]

    def forget(self, pending: dict[str, Half]) -> None:
        """Forget the halves whose second half a run may have."""
        if self.with_halves:
            for pid in [pid for pid, half in pending.items() if not half.wanted]:
                del pending[pid]

    def cut(self, run: str, pids: Collection[str]) -> Iterator[tuple[str, bool]]:
        """Yield the parts of a run, each with whether it may have a line of one of these pids.

        The pids may change meanwhile.
        """
        at = 0
        for cuts in range(MOST_CUTS + 1):
            place = min(self._touched(run, at, pids), default=len(run))
            if place > at:
                yield run[at:place], False
            if place == len(run):
                return
            at = run.find("\n", place) + 1 if cuts < MOST_CUTS else len(run)
            yield run[place:at], True

    def _touched(self, run: str, at: int, pids: Collection[str]) -> Iterator[int]:
        """Yield where the next line of each pid begins, as far as can be told without reading each line."""
        for pid in pids:
            if self._style == "file":
                if run.startswith((f"{pid} ", f"{pid}<"), at):
                    yield at
                for start in (f"\n{pid} ", f"\n{pid}<"):
                    if (place := run.find(start, at)) >= 0:
                        yield place + 1
            elif not pid:
                yield at
            else:
                for end in (f" {pid}]", f" {pid}<"):
                    if (place := run.find(end, at)) >= 0:
                        yield run.rfind("\n", at, place) + 1 or at

    def of(self, piece: str, *, apart: bool) -> Iterable[tuple[str, ...]]:
        """Return the rows in order; with `apart`, there are no runs."""
        if apart:
            return self._single.findall(piece)
        return chain.from_iterable(self._parts(piece)) if self._texts else self._find(piece)

    def _parts(self, piece: str) -> Iterator[Iterable[tuple[str, ...]]]:
        """Yield the rows between the lines that show a text, and each of these."""
        at, find, line, places = 0, self._find, self._line, _Places(piece, self._texts)
        while (place := places.after(at)) >= 0:
            start = max(at, piece.rfind("\n", at, place) + 1)
            if start > at:
                yield find(piece, at, start)
            if (row := line(piece, start)) is not None:
                yield (row.groups(""),)
            at = piece.find("\n", place) + 1
        yield find(piece, at)


class _Places:
    """The places in a piece at which one of several texts stands."""

    def __init__(self, piece: str, texts: tuple[str, ...]) -> None:
        self._piece = piece
        self._next = [(place, text) for text in texts if (place := piece.find(text)) >= 0]

    def after(self, start: int) -> int:
        """Return the first place that is not before `start`, which must not decrease; -1 if there is none."""
        if len(self._next) == 1:
            return self._piece.find(self._next[0][1], start)
        found = ((self._piece.find(text, start) if place < start else place, text) for place, text in self._next)
        self._next = [each for each in found if each[0] >= 0]
        return min(self._next)[0] if self._next else -1


def _line(dialect: Dialect, sought: Sought) -> str:
    """Return the expression of a line that does not matter; it captures nothing."""
    prefix = re.sub(r"(?<!\\)\((?!\?)", "(?:", prefix_expression(dialect.shape))
    return f"{prefix}{no_stranger(dialect.strangers)}{_other(sought, halves=dialect.shape[0] == 'file')}"


def _other(sought: Sought, *, halves: bool) -> str:
    """Return the expression of a line after its prefix that plainly is, or begins, a call that does not matter.

    `halves` says whether first and second halves may be stepped over too.
    """
    call = rf"{_NAME}\({_TO_RESULT}"
    parts: list[str] = []
    if sought.texts:
        parts.append(call + _returned())
    elif sought.errnos is not None:
        parts.append(call + _returned(sought.errnos))
    if _are_few(sought.calls):
        no_sought = rf"(?!(?:{'|'.join(map(re.escape, sorted(sought.calls)))})[ (])"
        if not sought.texts:
            parts.append(no_sought + call + _returned())
        if halves:
            parts.append(rf"{no_sought}{_NAME}\([^)^\n]*+(?<=<unfinished \.\.\.>)\n")
            parts.append(rf"<\.\.\. {no_sought}{_NAME} resumed>{_TO_RESULT}{_returned()}")
    return f"(?>{'|'.join(parts)})"


def _returned(errnos: Collection[str] = ()) -> str:
    """Return the expression of a number, or of an error that is none of these, up to the end of the line."""
    other = f"(?!(?:{'|'.join(map(re.escape, sorted(errnos)))}) )" if errnos else ""
    return rf"(?>[0-9]|-1 {other}E[A-Z0-9_]++ \([^()\n]*+\)(?= <|\n)).*(?<!\.\.\.>)\n"
