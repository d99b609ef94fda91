"""The loop that sees every line: quick where one expression takes the line, careful everywhere else.

It is one long function on purpose. A call of a Python function for each of a million lines costs more than
the expression that reads the line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tracediag.events import Begun, Event, Syscall
from tracediag.parsing import parser_for
from tracediag.reading.accounting import Counts
from tracediag.reading.dialect import Dialect
from tracediag.reading.fast import begun_expression, line_expression, success_expression
from tracediag.reading.general import General
from tracediag.reading.join import Half, Joiner, joined_body
from tracediag.reading.output import WRITERS, without_output
from tracediag.reading.prefix import Clock, TimeKind

_Stamp = Callable[[str], float | None]


def read_lines(  # noqa: PLR0913, PLR0915 - see above
    batches: Iterable[list[str]],
    dialect: Dialect,
    counts: Counts,
    general: General,
    joiner: Joiner,
    clock: Clock,
    wanted: frozenset[str] | None,
    *,
    failures: bool,
) -> Iterator[Event]:
    """Yield the events of all lines; `wanted` names the calls that become events, None means all."""
    match_line = line_expression(dialect.shape).match
    match_begun = begun_expression(dialect.shape).match
    match_success = success_expression(dialect.shape).match
    pending = joiner.pending
    stamp = _stamp(clock, dialect.time_kind)
    mixed = dialect.shape[0] != "file"
    passing = wanted is not None and dialect.time_kind != "relative"
    names: frozenset[str] = wanted or frozenset()
    number = 0
    for lines in batches:
        whole = resumed = begun = 0
        general.around(lines, number)
        careful = general.busy
        for number, line in enumerate(lines, number + 1):  # noqa: B020 - it counts on from batch to batch
            if careful:
                yield from general.read(number, line)
                careful = general.busy
                continue
            if passing and (head := match_success(line)) is not None and head[3] not in names:
                whole += 1
                if head[1] in pending:
                    yield from joiner.give_up(head[1])
                continue
            found = match_line(line)
            if found is not None:
                key, when, name, again, body, tail, digits, hexa, errno, text, note, detail, took = found.groups()
                if ") " in body or (digits is None and hexa is None and body.endswith(" ...>")):  # not so simple
                    yield from general.read(number, line)
                    careful = general.busy
                    continue
                if name is not None:
                    time = stamp(when)
                    whole += 1
                    if key in pending:
                        yield from joiner.give_up(key)
                    if wanted is not None and name not in names and not (failures and errno is not None):
                        continue
                    if mixed and name in WRITERS:
                        body = without_output(name, body)
                    yield Syscall(
                        line=number,
                        pid=None if key is None else int(key),
                        time=time,
                        name=name,
                        body=body,
                        parser=parser_for(name),
                        result=int(digits) if digits is not None else None if hexa is None else int(hexa, 16),
                        errno=errno,
                        tail=tail,
                        detail=text or note or detail or "",
                        duration=None if took is None else float(took),
                        end_line=number,
                    )
                    continue
                half = pending.get(key)
                if half is not None and half.name == again:
                    resumed += 1
                    end = stamp(when)
                    del pending[key]
                    if half.wanted or (failures and errno is not None):
                        yield Syscall(
                            line=half.line,
                            pid=half.pid,
                            time=half.time,
                            name=again,
                            body=joined_body(half.body, body),
                            parser=parser_for(again),
                            result=int(digits) if digits is not None else None if hexa is None else int(hexa, 16),
                            errno=errno,
                            tail=tail,
                            detail=text or note or detail or "",
                            duration=None if took is None else float(took),
                            end_line=number,
                            end_time=end,
                        )
                    continue
            else:
                found = match_begun(line)
                if found is not None and ") " not in (body := found[4]) and not body.endswith("^C"):
                    key, when, name, _ = found.groups()
                    begun += 1
                    if key in pending:
                        yield from joiner.give_up(key)
                    pid = None if key is None else int(key)
                    half = Half(number, pid, stamp(when), name, body.rstrip(" "), wanted is None or name in names)
                    pending[key] = half
                    if half.wanted:
                        yield joiner.begun(half)
                    continue
            yield from general.read(number, line)
            careful = general.busy
        counts.lines = number
        counts.calls += whole + resumed
        for kind, lines_of in (("call", whole), ("resumed", resumed), ("begun", begun)):
            if lines_of:
                counts.add(kind, lines_of)


def _stamp(clock: Clock, kind: TimeKind) -> _Stamp:
    if kind == "epoch":
        return float
    if kind == "clock":
        return clock.of_day
    if kind == "relative":
        return clock.since_start
    return _no_time


def _no_time(_: str) -> None:
    return None
