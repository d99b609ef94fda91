"""The reader: a source in, events out."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from tracediag.parsing import parser_for
from tracediag.reading.accounting import Counts
from tracediag.reading.assemble import Assembler
from tracediag.reading.dialect import Dialect, decide
from tracediag.reading.foreign import kind_of, tracer_of
from tracediag.reading.join import Joiner
from tracediag.reading.margins import LOOK_AHEAD, opened
from tracediag.reading.naming import Naming, decide_naming, is_raw, with_names
from tracediag.reading.prefix import Clock
from tracediag.reading.scanner import Wants, read_lines
from tracediag.reading.sets import members_of, open_set
from tracediag.reading.slowpath import SlowPath
from tracediag.reading.sources import Lines, Progress, Source, Stream, UnreadableError, open_source
from tracediag.reading.stacks import has_stacks, with_stacks
from tracediag.reading.strangers import strangers_of
from tracediag.snapshot.files import SUFFIX
from tracediag.trace.events import Begun, Event

if TYPE_CHECKING:
    from tracediag.reading.stepping import Sought

AnySource = str | os.PathLike[str] | Iterable[str] | Source
"""A path, the prefix of an `-ff` set, `-` for standard input, lines, or a `Source` object."""

Overhear = Callable[[str, int], None]
"""Is handed some lines of a trace, without margins, and the number of lines of its file that stand before them."""


class Reader:
    """Reads one trace once: iterate over it for the events, in the order in which the records complete.

    `counts` and `dialect` describe the lines read so far; they are complete when the iteration has ended.
    """

    def __init__(  # noqa: PLR0913  # the settings of a reading, all named
        self,
        source: AnySource,
        *,
        calls: Collection[str] | None = None,
        begun: Collection[str] | None = None,
        failures: bool = True,
        strict: bool = False,
        progress: Progress | None = None,
        before: int = 0,
        sought: Sought | None = None,
        overhear: Overhear | None = None,
    ) -> None:
        """Open the source. Raises `UnreadableError`.

        `calls` names the calls that become events, and `failures` adds every call that returned an error or shows
        no result; all others are only framed and counted. `begun` names the calls whose first half becomes an event
        of its own; for others it may be omitted. `strict` raises `NotUnderstoodError` at the first line of no known
        form, and `UnreadableError` at the end of a damaged source. `progress` is called with the number of bytes
        consumed, as stored on disk. `before` is the number of lines of the file that stand before those of the source.
        With `sought`, other calls than those may be omitted, and `calls` and `failures` mean nothing. `overhear` is
        handed the lines before they are read.
        """
        self.counts = Counts()
        self.dialect = Dialect()
        self._source = _as_source(source)
        self.name = self._source.name
        if sought is not None:
            failures = sought.calls is None
            calls = () if failures and sought.errnos is not None else sought.calls
        self._wanted = None if calls is None else set(calls)
        self._begun = None if begun is None else frozenset(begun)
        self._failures = failures
        self._strict = strict
        self._progress = progress
        self._before = before
        self._tally: dict[str, int] | None = None
        self._overhear = overhear
        self._sought = None if sought is None or not sought.is_narrow else sought
        self.turned = False
        """Whether the newest line stands first in the source: its last line is line 1."""
        self._joiner: Joiner | None = None
        self._raw: list[str] = []
        self._sample: list[str] = []

    def close(self) -> None:
        """Close the source, of a reader that is not iterated."""
        self._source.close()

    def want_all(self) -> None:
        """Make every call an event, whatever `calls` and `begun` say; call it before the iteration."""
        self._wanted = self._begun = None

    def want_less(self, calls: Collection[str]) -> None:
        """Make no more events of these calls where they succeed; from the next line on, if it is being iterated."""
        if self._wanted is not None:
            self._wanted.difference_update(calls)

    def count_others(self) -> dict[str, int]:
        """Count the calls that become no events; call it before the iteration.

        Returns the counts by the text of the pid ("" without one), exact at each event. The first call of each pid is
        an event; so is the next one of a pid that is taken out of the counts.
        """
        self._tally = {}
        return self._tally

    def unfinished(self) -> Iterator[Begun]:
        """Return the calls that have begun and not returned so far."""
        return iter(()) if self._joiner is None else self._joiner.unfinished()

    @property
    def damage(self) -> str | None:
        """What part of the source could not be read, in one sentence; complete when the iteration has ended."""
        return self._source.damage

    def __iter__(self) -> Iterator[Event]:
        """Return the events. The iteration raises `UnreadableError` if the source is not a trace."""
        # Not nested generators: every event would pass through each of them.
        return chain(chain.from_iterable(self._parts()), self._closing())

    def _parts(self) -> Iterator[Iterator[Event]]:
        """Yield the iterators that together yield all events."""
        self._raw, self._sample, self.turned, pieces = opened(self._source.pieces(self._progress))
        if self._overhear is not None:
            pieces = _overheard(pieces, self._overhear, self._before)
        if (
            tracer := tracer_of(self._raw) or (None if self._sample is self._raw else tracer_of(self._sample))
        ) is not None:
            self._source.close()
            raise UnreadableError(self._source.name, f"this is the output of {tracer}, not of strace")
        self.dialect = decide(self._sample)
        self.dialect.strangers = strangers_of(self._sample, self.dialect)
        naming = decide_naming(self._sample)
        self.dialect.has_symbols = not is_raw(naming)
        if isinstance(self._source, Stream) and self._source.binary and not self.dialect.records:
            self._source.close()
            raise UnreadableError(self._source.name, "this is a binary file, not a trace")
        names = _everything if self._wanted is None or self._tally is not None else self._wanted.__contains__
        assembler = Assembler(self.counts, Clock(), parser_for, names, failures=self._failures)
        self._joiner = assembler.joiner
        slow = SlowPath(self.dialect, self.counts, assembler, strict=self._strict)
        events = self._lines(pieces, slow)
        if self._sought is not None and naming is None and self.dialect.time_kind != "relative":
            from tracediag.reading.sieve import sieve_lines  # noqa: PLC0415  # for searches alone

            events = sieve_lines(pieces, self.dialect, self.counts, slow, self._sought, before=self._before)
        yield from self._completed((events, slow.finish()), naming)

    def _completed(self, parts: tuple[Iterator[Event], ...], naming: Naming | None) -> Iterator[Iterator[Event]]:
        """Yield the iterators, with names for numbers and with stacks where the first lines show the need."""
        if naming is not None:
            parts = tuple(with_names(part, naming) for part in parts)
        stacks = has_stacks(self._sample)
        if stacks or len(self._sample) < LOOK_AHEAD:
            yield with_stacks(chain.from_iterable(parts), delayed=stacks)
        else:
            yield from parts

    def _lines(self, pieces: Iterator[str], slow: SlowPath) -> Iterator[Event]:
        return read_lines(
            pieces,
            self.dialect,
            self.counts,
            slow,
            Wants(self._wanted, self._begun, self._failures, self._tally),
            before=self._before,
        )

    def _closing(self) -> Iterator[Event]:
        """Yield nothing; raise if there was no trace, and with `strict` if it is damaged."""
        self.counts.settle()
        if self._source.is_file and self._is_no_trace():
            looks = kind_of(self._sample) or kind_of(self._raw)
            reason = "not a single line of it is strace output" + (f"; it looks like {looks}" if looks else "")
            raise UnreadableError(self._source.name, f"{reason}: {self.damage}" if self.damage else reason)
        if self._strict and self.damage is not None:
            raise UnreadableError(self._source.name, self.damage)
        yield from ()

    def _is_no_trace(self) -> bool:
        """Return whether no line is certainly strace's; a paste may be one call that breaks off, among other text."""
        counts = self.counts
        written = counts.lines - counts.kinds.get("blank", 0)
        if not counts.understood:
            return True
        return counts.certain <= 0 and (counts.open * 2 < written or kind_of(self._raw) is not None)


def _as_source(source: AnySource) -> Source:
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        is_set = path != "-" and not os.path.exists(path) and bool(members_of(path))  # noqa: PTH110
        if is_set:
            return open_set(path)
        return Lines((), path) if _is_silent(path) else open_source(path)
    return source if isinstance(source, Source) else Lines(source)


def _is_silent(path: str) -> bool:
    """Whether a trace has no line, and lies beside a snapshot of /proc that tells of its processes all the same.

    Threads that wait for all of a recording, and that strace could not stop, make no call that it could show.
    """
    return os.path.exists(path + SUFFIX) and os.path.isfile(path) and os.path.getsize(path) == 0  # noqa: PTH110,PTH113,PTH202


def _overheard(pieces: Iterator[str], overhear: Overhear, before: int) -> Iterator[str]:
    for piece in pieces:
        overhear(piece, before)
        before += piece.count("\n")
        yield piece


def overhear_all(source: AnySource, overhear: Overhear) -> None:
    """Hand over all lines of a source, without reading what they mean. Raises `UnreadableError`."""
    for _ in _overheard(opened(_as_source(source).pieces())[3], overhear, 0):
        pass


def _everything(_: str) -> bool:
    return True


def read(source: AnySource, *, strict: bool = False, progress: Progress | None = None) -> Iterator[Event]:
    """Yield the events of a trace: a path, `-` for standard input, or lines.

    Raises `UnreadableError` if the source cannot be read or is not a trace, and with `strict` `NotUnderstoodError`
    at the first line that is no known form of strace output.
    """
    return iter(Reader(source, strict=strict, progress=progress))
