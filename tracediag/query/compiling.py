"""Text -> Query: parsed, its names and types checked, compiled to closures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.query.compiled import Compiled, both
from tracediag.query.conditions import Compiler, seconds_of
from tracediag.query.errors import QueryError, nearest
from tracediag.query.kept import parsed as kept_or_parsed
from tracediag.query.matching import CallWatch, Watch
from tracediag.query.names import Name
from tracediag.query.nodes import (
    Absent,
    Condition,
    Count,
    Literal,
    Operand,
    Parsed,
    Sequence,
    conditions,
    place_of,
)
from tracediag.query.objects import OBJECTS, ObjectKind, calls_with_directories
from tracediag.query.stand_ins import CALLS, SAID, Kinds, subject_call
from tracediag.query.subject import Subject
from tracediag.query.types import Type
from tracediag.query.watching import AbsentWatch, CountWatch, SequenceWatch
from tracediag.trace.events import Syscall
from tracediag.trace.numbers import integer
from tracediag.trace.patterns import lazy_pattern

_ARGUMENT = lazy_pattern(r"""arg\(["']?([^"'()]*+)["']?\)""")
MOST_COUNTED = 100_000
"""The greatest number that a `count` may ask for: so many calls are remembered for an object."""


class Query(msgspec.Struct, frozen=True):
    """A compiled query. It holds no state of a trace: `watch` makes that."""

    text: str
    calls: frozenset[str] | None
    """The names of the calls that it must see; None if any call matters."""
    errnos: frozenset[str] | None
    """The errors with which a call can match; None if any outcome can. Always None for queries over several calls."""
    model: bool
    """Whether it reads the model of the kernel; if not, `matches_call` suffices."""
    condition: Compiled | None
    """For a query about one call; None for sequences, counts and absences."""
    parts: tuple[Compiled, ...]
    """The conditions that it consists of."""
    watch: Callable[[], Watch]
    """Returns a new run of the query over a trace."""
    absent: frozenset[str] | None = frozenset()
    """The names of the calls whose absence a match rests on: those of `until` and `absent`; None if any may be."""
    steps: int = 1
    """How many calls a match shows: one for each step of a sequence; the first and last of a count or an absence."""

    @property
    def is_condition(self) -> bool:
        """Whether it is about one call."""
        return self.condition is not None

    @property
    def texts(self) -> tuple[str, ...]:
        """Texts of which the arguments of a call that matches show at least one; () if none is known."""
        return () if self.condition is None else self.condition.texts

    @property
    def never(self) -> bool:
        """Whether no call can match, because parts exclude each other: `call == read and call == write`."""
        return not all(part.possible for part in self.parts)

    @property
    def every(self) -> bool:
        """Whether every call must be seen, also one that cannot match: it reads the call before a signal."""
        return any(leaf.every for part in self.parts for leaf in part.leaves)

    @property
    def kinds(self) -> Kinds:
        """The kinds of events that can match."""
        return frozenset().union(*(part.kinds or CALLS for part in self.parts))

    @property
    def signals(self) -> frozenset[str] | None:
        """The names of the signals that can match; None if any can."""
        known = [part.signals for part in self.parts]
        return None if None in known else frozenset().union(*(each or () for each in known))

    def narrowed(self, other: Query) -> Query:
        """Return the query that a call matches if it matches this one and the other.

        Raises:
            TypeError: if one of them is not about one call.
        """
        if self.condition is None or other.condition is None:
            raise TypeError("a query about several calls cannot be joined with another")
        return _about_one(f"({self.text}) and ({other.text})", both([self.condition, other.condition]))

    def matches(self, action: Action) -> bool:
        """Whether the call, signal or end of an action matches; False for every other event.

        Raises:
            TypeError: if the query is not about one call: use `watch`.
        """
        call = subject_call(action.event, action)
        return call is not None and self.holds(Subject(call, action))

    def matches_call(self, call: Syscall) -> bool:
        """Whether a call matches, for a query that does not read the model of the kernel.

        Raises:
            TypeError: if it does, or is not about one call.
        """
        if self.model:
            raise TypeError("this query reads the model of the kernel")
        return self.holds(Subject(call))

    def matches_later(self, call: Syscall, caller: Process | None) -> bool:
        """Whether an earlier call of a process matches, by what is known of the process now.

        What a query asks of the descriptor of the call is then unknown, so that no comparison with it is true.

        Raises:
            TypeError: if the query is not about one call: use `watch`.
        """
        return self.holds(Subject(call, caller=caller))

    def holds(self, subject: Subject) -> bool:
        """Whether it is true of a call, with what is known of it.

        Raises:
            TypeError: if the query is not about one call: use `watch`.
        """
        call = subject.call
        if self.condition is None:
            raise TypeError("this query is about several calls: use watch()")
        if call.name:  # else it is a signal or an end
            if self.calls is not None and call.name not in self.calls:
                return False
            if self.errnos is not None and call.errno not in self.errnos:
                return False
        return self.condition.test(subject)

    def why(self, call: Syscall, action: Action | None = None) -> tuple[tuple[str, Any], ...]:
        """Return the comparisons that are true of a call, as written, each with the value that was compared."""
        subject = Subject(call, action)
        leaves = () if self.condition is None else self.condition.leaves
        return tuple((leaf.text, leaf.read(subject)) for leaf in leaves if leaf.test(subject))


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
    compiler = Compiler(text, sequence=isinstance(body, Sequence | Count | Absent))
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
        case Absent(by, within=within):
            kind, limit = _object(text, by), _limit(text, within)
            gone, one, other = parts = _steps(text, compiler, kind, conditions(parsed))
            return _over(text, kind, parts, lambda: AbsentWatch(kind, gone, one, other, limit), gone.calls)
        case condition:
            return _about_one(text, compiler.compile(condition).settled(mixed=False))


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


def _about_one(text: str, found: Compiled) -> Query:
    return Query(text, found.calls, found.errnos, found.model, found, (found,), lambda: CallWatch(found))


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
