"""The loop that sees every line: the header expression matches most, the slow path reads the rest.

It is one long function on purpose: a Python function call for each of a million lines costs more than the expression
that reads the line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet

import msgspec

from tracediag.parsing import parser_for
from tracediag.reading.accounting import Counts
from tracediag.reading.dialect import Dialect
from tracediag.reading.ends import Ends, aligned
from tracediag.reading.frame import is_arguments
from tracediag.reading.halves import Half
from tracediag.reading.header import header_expression
from tracediag.reading.join import joined_body
from tracediag.reading.output import WRITERS, without_output
from tracediag.reading.prefix import Clock, TimeKind
from tracediag.reading.slowpath import SlowPath
from tracediag.trace.events import Begun, Event, Parser, Syscall
from tracediag.trace.numbers import Numbers, checked_seconds

_JOIN = "FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, "
"""How pthread_join waits: it shows which pids are threads of one process, and is worth the events of futex calls."""
_MARK = "<unfinished ...>"
MOST_NAMES = 1024
_PASTE = 4096
"""Lines of a paste at most: only there an editor may have joined lines, and a search of each line is dear."""


class _Parsers(dict[str, Parser]):
    """The parsers of the calls seen so far; bounded, because names come from the trace."""

    def __missing__(self, name: str) -> Parser:
        parser = parser_for(name)
        if len(self) < MOST_NAMES:
            self[name] = parser
        return parser


class Wants(msgspec.Struct):
    """Which calls become events."""

    calls: AbstractSet[str] | None = None
    """Their names; None means all."""
    begun: frozenset[str] | None = None
    """Those whose first half is an event of its own; others may be yielded too. None means all of `calls`."""
    failures: bool = True
    """Whether every call does that returned an error or shows no result."""
    tally: dict[str, int] | None = None
    """Counts all other calls, by the text of their pid; the first call of a pid that is not in it becomes an event."""


_Stamp = Callable[[str], float | None]


def read_lines(  # noqa: PLR0915 - see above
    pieces: Iterable[str],
    dialect: Dialect,
    counts: Counts,
    slow: SlowPath,
    wants: Wants,
    *,
    before: int = 0,
) -> Iterator[Event]:
    """Yield the events of all lines; of the calls only those that are wanted.

    `before` lines stand in front of them in the file, and are counted on.
    """
    find = header_expression(dialect.shape, dialect.strangers).findall
    joiner = slow.assembler.joiner
    pending = joiner.pending
    stamp = stamp_of(slow.assembler.clock, dialect.time_kind)
    every_stamp = dialect.time_kind == "relative"
    mixed = dialect.shape[0] != "file"
    begun_wanted, failures, tally = wants.begun, wants.failures, wants.tally
    every = wants.calls is None
    names: AbstractSet[str] = frozenset() if wants.calls is None else wants.calls
    parsers, numbers, ends = _Parsers(), Numbers({"": None}), Ends()
    number = skipped = before
    for piece in pieces:
        complete = resumed = begun = 0
        before = number
        slow.window.move(piece, before)
        careful = slow.busy
        joins = not every and _JOIN in piece
        yield from joiner.make_room()
        for number, (key, when, again, name, rest, other) in enumerate(find(piece), number + 1):  # noqa: B020 - counts on
            if careful or not name:
                pass
            elif (parts := rest.rpartition(") = "))[1] or rest[-4:] != "...>":
                body, mark, said = parts if parts[1] else aligned(rest)
                if (
                    not every
                    and name not in names
                    and (said[:1].isdigit() or (said[:2] == "-1" and not failures))
                    and "= " not in said
                    and said[-4:] != "...>"
                    and (number > _PASTE or "= " not in body)  # else two calls may stand on the line
                    and (
                        not again
                        or (
                            key in pending
                            and (half := pending[key]).name == name
                            and not (half.wanted and tally is None)
                        )
                    )
                    and not (joins and name == "futex" and _JOIN in rest)
                    and (tally is None or key in tally)
                ):
                    if tally is not None:
                        tally[key] += 1
                    if again:
                        resumed += 1
                        del pending[key]
                    else:
                        complete += 1
                        if key in pending:
                            yield from joiner.give_up(key)
                    if every_stamp:
                        stamp(when)
                    continue
                if mark and (known := ends[said]) is not None:
                    result, errno, tail, detail, took = known
                elif (found := ends.split(rest)) is not None:
                    body, (result, errno, tail, detail, took) = found
                else:
                    mark = ""
                if not mark or (")" in body and ") " in body and not is_arguments(body)):
                    pass  # no common form; or the arguments end earlier, at another `) = `
                elif result is None and body[-4:] == "...>":
                    pass  # the mark of a first half stands inside: killed in the call
                elif not again:
                    complete += 1
                    if key in pending:
                        yield from joiner.give_up(key)
                    time = stamp(when)
                    tell = every or name in names or (joins and name == "futex" and _JOIN in rest)
                    if tally is not None and key not in tally:
                        tally[key], tell = 0, True
                    if tell or (failures and (errno is not None or result is None)):
                        if mixed and name in WRITERS:
                            body = without_output(name, body, result)
                        yield Syscall(
                            line=number,
                            pid=numbers[key],
                            time=time,
                            name=name,
                            body=body,
                            parser=parsers[name],
                            result=result,
                            errno=errno,
                            tail=tail,
                            detail=detail,
                            duration=took,
                            end_line=number,
                        )
                    elif tally is not None:
                        tally[key] += 1
                    continue
                elif key in pending and (half := pending[key]).name == name:
                    resumed += 1
                    del pending[key]
                    time = stamp(when)
                    if half.wanted or (failures and (errno is not None or result is None)):
                        body = joined_body(half.body, body)
                        if mixed and name in WRITERS:
                            body = without_output(name, body, result)
                        yield Syscall(
                            line=half.line,
                            pid=half.pid,
                            time=half.time,
                            name=name,
                            body=body,
                            parser=parsers[name],
                            result=result,
                            errno=errno,
                            tail=tail,
                            detail=detail,
                            duration=took,
                            end_line=number,
                            end_time=time,
                        )
                    continue
            elif rest[-16:] == _MARK and not again and (")" not in rest or ") " not in rest) and "^C" not in rest:
                begun += 1
                if key in pending:
                    yield from joiner.give_up(key)
                pid, time, start = numbers[key], stamp(when), rest[:-16].rstrip(" ")
                tell = every or name in names or (joins and name == "futex" and _JOIN in rest)
                if tally is not None:
                    pending[key] = Half(number, pid, time, name, start)
                    if key not in tally:
                        tally[key], tell = 0, True
                else:
                    pending[key] = Half(number, pid, time, name, start, tell)
                if tell and (begun_wanted is None or name in begun_wanted or (joins and name == "futex")):
                    start = start.rstrip(" ,")
                    yield Begun(line=number, pid=pid, time=time, name=name, body=start, parser=parsers[name])
                continue
            yield from slow.read(number, slow.window.line(number) if name else other)
            careful = slow.busy
        dialect.has_pids = dialect.has_pids or len(numbers) > 1
        dialect.glance(piece)
        counts.lines = number - skipped
        counts.calls += complete + resumed
        for kind, lines_of in (("call", complete), ("resumed", resumed), ("begun", begun)):
            if lines_of:
                counts.add(kind, lines_of)


def stamp_of(clock: Clock, kind: TimeKind) -> _Stamp:
    """Return what reads the time stamps of a recording."""
    if kind == "epoch":
        return checked_seconds
    if kind == "clock":
        return clock.of_day
    if kind == "relative":
        return clock.since_start
    return _no_time


def _no_time(_: str) -> None:
    """Return no time: the recording has none."""
