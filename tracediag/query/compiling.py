"""Text -> Query: parsed, its names and types checked, compiled to closures."""

from __future__ import annotations

from collections.abc import Callable

from tracediag.query.absences import AbsentWatch
from tracediag.query.compiled import Compiled
from tracediag.query.conditions import Compiler, seconds_of
from tracediag.query.errors import QueryError, nearest
from tracediag.query.kept import parsed as kept_or_parsed
from tracediag.query.matching import Watch
from tracediag.query.names import Name
from tracediag.query.nodes import (
    Absent,
    Condition,
    Count,
    Literal,
    Operand,
    Parsed,
    Sequence,
    Sum,
    conditions,
    place_of,
)
from tracediag.query.objects import OBJECTS, ObjectKind, calls_with_directories
from tracediag.query.stand_ins import CALLS, SAID
from tracediag.query.sums import SumWatch
from tracediag.query.types import Type, value_of
from tracediag.query.watching import CountWatch, SequenceWatch
from tracediag.query.whole import Query, about_one
from tracediag.trace.numbers import integer
from tracediag.trace.patterns import lazy_pattern

_ARGUMENT = lazy_pattern(r"""arg\(["']?([^"'()]*+)["']?\)""")
MOST_COUNTED = 100_000
"""The greatest number that a `count` may ask for: so many calls are remembered for an object."""


def compile_query(text: str, *, keep: bool = False) -> Query:
    """Compile a query.

    Args:
        text: the query.
        keep: whether the user's cache folder keeps what it consists of, for later runs: the same page comes again.

    Raises:
        QueryError: if it is not of the language, names what does not exist, or compares what cannot be compared.
    """
    parsed = _parsed(text, keep=keep)
    body = parsed.body
    compiler = Compiler(text, sequence=isinstance(body, Sequence | Count | Sum | Absent))
    for let in parsed.lets:
        compiler.define(let.name, let.place, let.condition)
    match body:
        case Sequence(by, steps, until, within, unless):
            kind, limit = _object(text, by), _limit(text, within)
            compiled = _steps(text, compiler, kind, conditions(parsed))
            taken, ends = compiled[: len(steps)], list(compiled[len(steps) :])
            closing = None if until is None else ends.pop(0)
            excuse = None if unless is None else ends.pop(0)
            known = [each.calls for each in (closing, excuse) if each is not None]
            absent = None if None in known else frozenset[str]().union(*(each or () for each in known))
            return _over(
                text, kind, compiled, lambda: SequenceWatch(kind, taken, closing, limit, excuse), absent, len(steps)
            )
        case Count(by, _, least, within):
            kind, limit, number = _object(text, by), _limit(text, within), _number(text, least)
            (counted,) = _steps(text, compiler, kind, conditions(parsed))
            return _over(text, kind, (counted,), lambda: CountWatch(kind, counted, number, limit), frozenset())
        case Sum(of, by, _, least, within):
            kind, limit, name = _object(text, by), _limit(text, within), compiler.name(of)
            if name.type not in (Type.NUMBER, Type.SECONDS):
                raise QueryError(text, of.place, f"{name.name} is no number or time, so that it has no sum")
            most = value_of(text, least, name.type, name.name)
            (counted,) = _steps(text, compiler, kind, conditions(parsed))
            return _over(text, kind, (counted,), lambda: SumWatch(kind, counted, name, most, limit), frozenset())
        case Absent(by, within=within):
            kind, limit = _object(text, by), _limit(text, within)
            gone, one, other = parts = _steps(text, compiler, kind, conditions(parsed))
            return _over(text, kind, parts, lambda: AbsentWatch(kind, gone, one, other, limit), gone.calls)
        case condition:
            return about_one(text, compiler.compile(condition).settled(mixed=False))


def _steps(text: str, compiler: Compiler, kind: ObjectKind, steps: tuple[Condition, ...]) -> tuple[Compiled, ...]:
    """Return the steps of a query over several calls; signals and ends belong to threads and processes alone."""
    compiled = [compiler.compile(step) for step in steps]
    for step, each in zip(steps, compiled, strict=True):
        if each.kinds is not None and not each.kinds <= CALLS and not kind.of_threads:
            said = " and ".join(sorted(SAID[one] for one in each.kinds - CALLS))
            raise QueryError(text, place_of(step), f"{said} belong to no {kind.name}; write by process or by thread")
    mixed = any(each.kinds not in (None, CALLS) for each in compiled)
    return tuple(each.settled(mixed=mixed) for each in compiled)


def _parsed(text: str, *, keep: bool) -> Parsed:
    if keep:
        return kept_or_parsed(text)
    from tracediag.query.grammar import parse  # noqa: PLC0415  # it needs lark

    return parse(text)


def _over(  # the parts of a query
    text: str,
    kind: ObjectKind,
    parts: tuple[Compiled, ...],
    watch: Callable[[], Watch],
    absent: frozenset[str] | None,
    steps: int = 2,
) -> Query:
    names = [part.calls for part in parts]
    known = [each for each in names if each is not None]
    shown = calls_with_directories() if kind.by_path else frozenset()
    calls = frozenset().union(shown, *known) if len(known) == len(names) else None
    return Query(
        text,
        calls,
        None,
        model=True,
        condition=None,
        parts=parts,
        watch=watch,
        absent=absent,
        steps=steps,
    )


def _object(text: str, by: Literal) -> ObjectKind:
    found = OBJECTS.get(by.text)
    if found is None:
        hint = nearest(by.text, OBJECTS) or f"; by takes {', '.join(OBJECTS)}"
        raise QueryError(text, by.place, f"no object is named {by.text}{hint}")
    return found


def _limit(text: str, within: Literal | None) -> float | None:
    return None if within is None else seconds_of(text, within)


def _number(text: str, least: Literal) -> int:
    found = integer(least.text)
    if found is None or not 1 <= found <= MOST_COUNTED:
        raise QueryError(text, least.place, f"count takes a number from 1 to {MOST_COUNTED:,}, not {least.text}")
    return found


def compile_field(text: str) -> Name:
    """Return what a name, or arg("name"), reads: to group calls by it.

    Raises:
        QueryError: if nothing is named so.
    """
    field = text.strip()
    found = _ARGUMENT.fullmatch(field)
    operand = Operand(field, text.find(field[:1])) if found is None else Operand(found[1], 0, argument=True)
    name = Compiler(text, sequence=False).name(operand)
    if name.type is Type.FLAGS:
        raise QueryError(text, 0, f"{name.name} is a set of flags, which has no single value to group by")
    return name
