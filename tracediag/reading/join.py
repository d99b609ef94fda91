"""Joins the halves of calls: a first half is kept, by pid, until it is resumed.

strace offers no other key than the pid, and even that changes: an execve begun by a thread is resumed under the pid
of its group leader; on a terminal the pid is omitted while only one process is alive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from tracediag.reading.halves import Half, Key, Latest, Place, key_of
from tracediag.reading.outputs import settle
from tracediag.reading.result import Result, read_result
from tracediag.trace.events import Begun, Parser, Syscall

MOST = 1 << 17
"""At most this many halves are kept; beyond it the oldest are dropped."""

NO_PID = ""
MOST_WRITERS = 64
_UNKNOWN = "???"


def begun_body(body: str) -> str:
    """Return the arguments of a first half, without the trailing comma that older dialects print."""
    return body.rstrip(" ,")


def joined_body(first: str, rest: str) -> str:
    """Join the arguments of two halves, in any of the three dialects."""
    start = rest[:1]
    if start == ",":
        return first + rest
    if start == " ":
        rest = rest.strip(" ")
        start = rest[:1]
    if not start:
        return first.rstrip(" ,")
    if first.endswith(",") or start == "=":
        return f"{first} {rest}"
    return first + rest


def orphan_body(rest: str) -> str:
    """Return the arguments of a second half whose first half is not in the trace: the leading ones are missing."""
    rest = rest.strip(" ,")
    return f"..., {rest}" if rest else "..."


class Joiner:
    """The pending halves, and the calls made of them."""

    def __init__(self, parser_for: Callable[[str], Parser]) -> None:
        self.pending: dict[Key, Half] = {}
        """In order of arrival."""
        self._latest = Latest(self.pending)
        self._parser_for = parser_for

    def begin(self, half: Half) -> Iterator[Syscall]:
        """Add a half; yield the earlier half of that pid, which was never resumed."""
        key = key_of(half.pid)
        yield from self.give_up(key)
        self.pending[key] = half
        yield from self.make_room()

    def put_back(self, half: Half, line: int) -> None:
        """Return a half to the pending ones, from that line of the trace on."""
        key = key_of(half.pid)
        self.pending.pop(key, None)
        half.moved = line
        self.pending[key] = half

    def make_room(self) -> Iterator[Syscall]:
        """Yield the oldest halves if there are too many, and some more, since each check of the first is costly."""
        excess = len(self.pending) - MOST
        if excess > 0:
            for key in list(islice(self.pending, excess + MOST // 8)):
                yield from self.give_up(key)

    def latest(self) -> Iterator[Half]:
        """Yield the latest halves, the latest first: as many as threads may write to one terminal."""
        return islice(reversed(self.pending.values()), MOST_WRITERS)

    def begun(self, half: Half) -> Begun:
        """Return the event of a first half."""
        return Begun(
            line=half.line,
            pid=half.pid,
            time=half.time,
            name=half.name,
            body=begun_body(half.body),
            parser=self._parser_for(half.name),
        )

    def unfinished(self) -> Iterator[Begun]:
        """Return the events of all first halves, whether wanted or not."""
        return map(self.begun, list(self.pending.values()))

    def give_up(self, key: Key) -> Iterator[Syscall]:
        """Yield the call that this pid began and never finished, if any."""
        half = self.pending.pop(key, None)
        if half is not None and half.wanted:
            yield self.unreturned(half)

    def give_up_all(self) -> Iterator[Syscall]:
        """Yield all calls that began and never finished, in order of their start."""
        for half in sorted(self.pending.values(), key=lambda half: half.line):
            if half.wanted:
                yield self.unreturned(half)
        self.pending.clear()

    def supersede(self, pid: int | None, by: int, line: int) -> Iterator[Syscall]:
        """Move the half of thread `by` to the pid of its leader, whose own half ends at this line."""
        yield from self.give_up(key_of(pid))
        half = self.pending.pop(str(by), None)
        if half is not None:
            half.pid = pid
            self.put_back(half, line)

    def find(self, pid: int | None, name: str) -> Half | None:
        """Remove and return the half that `<... name resumed>` of this pid completes, or None."""
        key = key_of(pid)
        own = self.pending.get(key)
        if own is not None and (own.name == name or _UNKNOWN in own.name or _UNKNOWN in name or not name):
            return self.pending.pop(key)
        if pid is not None:
            bare = self.pending.get(NO_PID)
            if bare is not None and bare.name == name:
                return self.pending.pop(NO_PID)
            if name not in {"execve", "execveat"}:
                return None
        half = self._latest.of(name)
        if half is None:
            return None
        key = key_of(half.pid)
        if next(reversed(self.pending)) == key:
            self.pending.popitem()  # leave no gap at the end for later searches to step over
        else:
            del self.pending[key]
        return half

    def unreturned(self, half: Half) -> Syscall:
        """Return the call of a half that was never resumed; its output may show that it returned."""
        call = Syscall(
            line=half.line,
            pid=half.pid,
            time=half.time,
            name=half.name,
            body=begun_body(half.body),
            parser=self._parser_for(half.name),
            end_line=half.line,
            returned=False,
            cut=half.cut,
        )
        settle(call)
        return call

    def resume(
        self, place: Place, name: str, rest: str, tail: str, *, returned: bool = True
    ) -> Iterator[tuple[Syscall, bool]]:
        """Yield the joined call, preceded by any half thereby known to be lost; each with whether it is wanted."""
        half = self.find(place.pid, name)
        yield from ((lost, True) for lost in self.give_up(key_of(place.pid)))
        result = read_result(tail) or Result()
        call = self.call(place, name, rest, tail, result)
        call.returned = returned
        if half is None:
            call.body = orphan_body(rest)
            if place.time is not None and result.duration is not None:
                call.time = place.time - result.duration
                call.end_time = place.time
        else:
            call.name = name or half.name
            call.line, call.time, call.end_time = half.line, half.time, place.time
            call.body = joined_body(half.body, rest)
            call.pid = half.pid if place.pid is None else place.pid
        yield call, half is not None and half.wanted

    def call(self, place: Place, name: str, body: str, tail: str, result: Result) -> Syscall:
        """Return the call on one line."""
        return Syscall(
            line=place.line,
            pid=place.pid,
            time=place.time,
            name=name,
            body=body,
            parser=self._parser_for(name),
            result=result.value,
            errno=result.errno,
            tail=tail,
            detail=result.detail,
            duration=result.duration,
            end_line=place.line,
        )
