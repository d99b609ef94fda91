"""Turns frames into events: joins halves, filters by name, counts every line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tracediag.reading.accounting import Counts
from tracediag.reading.frame import Frame, read_frame
from tracediag.reading.halves import Half, Place, key_of
from tracediag.reading.join import Joiner
from tracediag.reading.output import without_output
from tracediag.reading.prefix import Clock, Prefix, read_prefix
from tracediag.reading.result import Result, read_result
from tracediag.trace.calls import SYSCALLS
from tracediag.trace.events import Event, Parser, Syscall
from tracediag.trace.records import CountRow, Elision, Exit, Notice, Other, Record, Signal, Superseded

Wanted = Callable[[str], bool]
"""Whether calls of this name become events."""

MOST_ON_A_LINE = 8
"""At most so many calls of one line are read: each is searched for in all that follows the one before it."""


class Assembler:
    """Turns frames into events, in the order in which records complete."""

    def __init__(
        self, counts: Counts, clock: Clock, parser_for: Callable[[str], Parser], wanted: Wanted, *, failures: bool
    ) -> None:
        self.joiner = Joiner(parser_for)
        self._counts = counts
        self.clock = clock
        self._wanted = wanted
        self._failures = failures

    def place(self, line: int, prefix: Prefix) -> Place:
        """Return where a record stands; call it once per record, because relative times add up."""
        return Place(line=line, pid=prefix.pid, time=self.clock.read(prefix.kind, prefix.stamp))

    def take(self, place: Place, frame: Frame) -> Iterator[Event]:
        """Yield the events of a frame that stands on one line, and count the line."""
        if frame.record is not None:
            yield from self.record(place, frame.record)
        elif frame.kind == "call":
            self._counts.add("call")
            yield from self._call(place, frame)
        elif frame.kind == "rest":
            self._counts.add("resumed")
            yield from self.resume(place, frame.name, frame.body, frame.tail, returned=not frame.mark)
        elif frame.kind == "begun":
            self._counts.add("begun")
            yield from self.begin(place, frame)

    def record(self, place: Place, record: Record) -> Iterator[Event]:
        """Yield the event of a record that is not a call."""
        record.line = place.line
        if not isinstance(record, Other | Elision):
            record.pid, record.time = place.pid, place.time
        self._counts.add(record.kind if isinstance(record, Other) else type(record).__name__.lower())
        if isinstance(record, Signal):
            self._counts.signals += 1
        elif isinstance(record, Exit):
            self._counts.exits += 1
            yield from self.joiner.give_up(key_of(record.pid))
        elif isinstance(record, CountRow):
            self._counts.rows += 1
        elif isinstance(record, Superseded):
            yield from self.joiner.supersede(record.pid, record.by, record.line)
        yield record

    def begin(self, place: Place, frame: Frame) -> Iterator[Event]:
        """Yield the event of a first half, and remember the half."""
        if frame.mark == "resumed":  # `<... read resumed> <unfinished ...>`: interrupted a second time
            half = self.joiner.find(place.pid, frame.name)
            if half is not None:
                half.body = half.body + frame.body
                half.cut = frame.cut
                self.joiner.put_back(half, place.line)
            return
        wanted = self._wanted(frame.name)
        half = Half(place.line, place.pid, place.time, frame.name, frame.body, wanted, frame.cut)
        yield from self.joiner.begin(half)
        if wanted:
            yield self.joiner.begun(half)
        if frame.glued is not None:
            frame.glued.line = place.line
            yield frame.glued

    def resume(self, place: Place, name: str, rest: str, tail: str, *, returned: bool = True) -> Iterator[Event]:
        """Yield the call that a second half completes."""
        self._counts.calls += 1
        resumed = self.joiner.resume(place, name, rest, tail, returned=returned)
        for call, wanted in resumed:
            if wanted or self.wants(call):
                call.body = without_output(call.name, call.body, call.result)
                yield call

    def wants(self, call: Syscall) -> bool:
        """Return whether a complete call becomes an event."""
        return self._wanted(call.name) or (self._failures and (call.errno is not None or call.result is None))

    def resultless(self, place: Place, frame: Frame) -> Iterator[Syscall]:
        """Yield a call whose result is missing from the line."""
        yield from self.complete(place, frame.name, frame.body, "", Result())

    def complete(self, place: Place, name: str, body: str, tail: str, result: Result) -> Iterator[Syscall]:
        """Yield a complete call, preceded by the pending call of its thread, which cannot be running any more."""
        yield from self.joiner.give_up(key_of(place.pid))
        self._counts.calls += 1
        body = without_output(name, body, result.value)
        call = self.joiner.call(place, name, body, tail, result)
        if self.wants(call):
            yield call

    def _call(self, place: Place, frame: Frame) -> Iterator[Event]:
        """Yield the call of a line, and the few that were pasted or printed onto it; more are counted as not read."""
        rest = ""
        for _ in range(MOST_ON_A_LINE):
            result = read_result(frame.tail) or Result()
            rest = frame.tail[result.end :]
            follower = _follower(rest) if rest else None
            tail = frame.tail if follower is None else frame.tail[: result.end]
            for call in self.complete(place, frame.name, frame.body, tail, result):
                if frame.mark and call.line == place.line:
                    call.returned = False
                yield call
            if follower is None:
                break
            pid, frame = follower[0].pid, follower[1]
            place = Place(line=place.line, pid=place.pid if pid is None else pid, time=place.time)
        if rest:
            self._counts.crowd(rest)


def _follower(text: str) -> tuple[Prefix, Frame] | None:
    """Read a second call that was pasted onto the line of the first."""
    if "(" not in text or not text.startswith(" "):
        return None
    text = text.lstrip()
    prefix = read_prefix(text)
    frame = read_frame(text[prefix.end :])
    if frame is None or frame.kind != "call" or frame.name not in SYSCALLS:
        return None
    return prefix, frame


def is_message(record: Record | None) -> bool:
    """Return whether a record may be printed into the middle of a call without ending it."""
    return isinstance(record, Notice)
