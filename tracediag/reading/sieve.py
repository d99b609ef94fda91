"""The loop for a search: what certainly is another call than the sought ones is stepped over, many lines in one match.

A search knows the names of the calls, their errors, or texts of which they show one. Where none of several lines can be
such a call, one expression matches them all, and they are only counted. The other lines are read as in `scanner`; a
test checks that a search finds the same both ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tracediag.parsing import parser_for
from tracediag.reading.accounting import Counts
from tracediag.reading.dialect import Dialect
from tracediag.reading.frame import is_arguments
from tracediag.reading.halves import Half
from tracediag.reading.header import END
from tracediag.reading.join import joined_body
from tracediag.reading.output import WRITERS, without_output
from tracediag.reading.scanner import stamp_of
from tracediag.reading.slowpath import SlowPath
from tracediag.reading.stepping import Rows, Sought
from tracediag.trace.events import Event, Syscall
from tracediag.trace.numbers import Numbers, checked_seconds

MOST_PENDING = 256
"""With more halves than this that wait for their second, each line is read: a run is searched for the pid of each."""

_MARK = "<unfinished ...>"


def sieve_lines(  # noqa: PLR0915 - as in `scanner`
    pieces: Iterable[str], dialect: Dialect, counts: Counts, slow: SlowPath, sought: Sought, *, before: int = 0
) -> Iterator[Event]:
    """Yield the events of all lines but those that certainly are other calls than the sought ones.

    The arguments are as of `read_lines`; the times of the recording must not be relative, for each then depends on all
    lines before it. Second halves that are stepped over are counted as calls.
    """
    stamp = stamp_of(slow.assembler.clock, dialect.time_kind)
    pending, give_up = slow.assembler.joiner.pending, slow.assembler.joiner.give_up
    rows, call_of, read_end = Rows(dialect, sought), _Maker(mixed=dialect.shape[0] != "file"), END.match
    wanted = _everything if sought.calls is None else sought.calls.__contains__
    number, texts = before, sought.texts if sought.errnos is None else ()
    for piece in pieces:
        complete = resumed = begun = 0
        slow.window.move(piece, number)
        careful = slow.busy
        yield from slow.assembler.joiner.make_room()
        if (first := rows.first_stamp(piece)) is not None:
            stamp(first)  # midnight is not missed, whatever is stepped over
        for run, key, when, again, name, rest in rows.of(piece, apart=len(pending) > MOST_PENDING):
            if run:
                for part, touches in rows.cut(run, pending) if pending else ((run, False),):
                    lines = part.count("\n")
                    if careful or touches:
                        for number in range(number + 1, number + lines + 1):  # noqa: B020 - counts on
                            yield from slow.read(number, slow.window.line(number))
                        careful = slow.busy
                        rows.forget(pending)
                    else:
                        number += lines
                        halves = part.count("<unfinished ...>\n")
                        begun += halves
                        complete += lines - halves
                continue
            number += 1
            if careful or not name:
                pass
            elif rest[-4:] == "...>":
                if rest[-16:] == _MARK and not again and (")" not in rest or ") " not in rest) and "^C" not in rest:
                    begun += 1
                    if key in pending:
                        yield from give_up(key)
                    tell = wanted(name)
                    if tell or not rows.with_halves:
                        start = rest[:-16].rstrip(" ")
                        pending[key] = Half(number, call_of.numbers[key], stamp(when), name, start, tell)
                    continue
            elif (
                again
                and texts
                and (half := pending.get(key)) is not None
                and half.name == name
                and (equals := rest.rfind("= ")) > 0
                and rest[equals - 2 : equals] == ") "
                and rest[equals + 2 : equals + 3].isdigit()
                and not _may_be(sought, half.body, rest, None)
            ):
                resumed += 1
                del pending[key]
                continue
            elif (found := read_end(rest)) is not None:
                body, value, half = found[1], found[3], pending.get(key)
                if (")" in body and ") " in body and not is_arguments(body)) or (value == "?" and body[-4:] == "...>"):
                    pass  # for the same reasons as in `scanner`
                elif not again:
                    complete += 1
                    if half is not None:
                        yield from give_up(key)
                    if wanted(name) and _may_be(sought, rest, "", found[4]):
                        yield call_of(number, key, stamp(when), name, found, None)
                    continue
                elif half is not None and half.name == name:
                    resumed += 1
                    del pending[key]
                    if half.wanted and _may_be(sought, half.body, rest, found[4]):
                        yield call_of(number, key, stamp(when), name, found, half)
                    continue
            yield from slow.read(number, slow.window.line(number))
            careful = slow.busy
        dialect.has_pids = dialect.has_pids or len(call_of.numbers) > 1
        dialect.glance(piece)
        counts.lines = number - before
        counts.calls += complete + resumed
        for kind, booked in (("call", complete), ("resumed", resumed), ("begun", begun)):
            if booked:
                counts.add(kind, booked)


def _may_be(sought: Sought, one: str, other: str, errno: str | None) -> bool:
    """Whether a call with this text in its two halves, and this error, can be a sought one."""
    if sought.errnos is not None and errno not in sought.errnos:
        return False
    return not sought.texts or any(text in one or text in other for text in sought.texts)


def _everything(_: str) -> bool:
    return True


class _Maker:
    """Makes the calls of a recording; with `mixed`, the program's own output may stand in its lines."""

    def __init__(self, *, mixed: bool) -> None:
        self.numbers = Numbers({"": None})
        self._results = Numbers({"?": None})
        self._mixed = mixed

    def __call__(
        self, number: int, key: str, time: float | None, name: str, found: re.Match[str], half: Half | None
    ) -> Syscall:
        """Return the call of a line, or of the second half of a call."""
        body, tail, value, errno, text, note, detail, took = found.groups()
        result = self._results[value]
        if half is not None:
            body = joined_body(half.body, body)
        if self._mixed and name in WRITERS:
            body = without_output(name, body, result)
        return Syscall(
            line=number if half is None else half.line,
            pid=self.numbers[key] if half is None else half.pid,
            time=time if half is None else half.time,
            name=name,
            body=body,
            parser=parser_for(name),
            result=result,
            errno=errno,
            tail=f"= {tail}",
            detail=text or note or detail or "",
            duration=None if took is None else checked_seconds(took),
            end_line=number,
            end_time=None if half is None else time,
        )
