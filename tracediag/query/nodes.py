"""What a query consists of, after parsing and before names and types are looked at.

`place` is an index in the text of the query, from 0; `end` is the index after the last character.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


class Literal(msgspec.Struct, frozen=True):
    """A value written in the query."""

    form: str
    """"WORD", "NUMBER", "QUANTITY" or "STRING"."""
    text: str
    place: int


class Operand(msgspec.Struct, frozen=True):
    """What is read of a call: a name, or an argument by its name."""

    name: str
    """The name; of an argument, the argument's."""
    place: int
    argument: bool = False


class Comparison(msgspec.Struct, frozen=True, tag=True):
    """`operand operator values`; the operator "" stands for a name alone."""

    operand: Operand
    operator: str
    values: tuple[Literal, ...]
    place: int
    end: int
    kind: str = ""
    """The class, such as "%file", in place of values."""


class Reports(msgspec.Struct, frozen=True, tag=True):
    """`reports it`: the call is a wait that reports the object of the sequence."""

    place: int
    end: int


class Not(msgspec.Struct, frozen=True, tag=True):
    """`not part`."""

    part: Condition


class Both(msgspec.Struct, frozen=True, tag=True):
    """`part and part ...`."""

    parts: tuple[Condition, ...]


class Either(msgspec.Struct, frozen=True, tag=True):
    """`part or part ...`."""

    parts: tuple[Condition, ...]


Condition = Comparison | Reports | Not | Both | Either


class Let(msgspec.Struct, frozen=True):
    """`let name = condition`."""

    name: str
    place: int
    condition: Condition


class Sequence(msgspec.Struct, frozen=True, tag=True):
    """`sequence by X [..] [..] until [..] within 10s unless [..]`."""

    by: Literal
    steps: tuple[Condition, ...]
    until: Condition | None
    within: Literal | None
    unless: Condition | None = None


class Count(msgspec.Struct, frozen=True, tag=True):
    """`count by X [..] >= N within 10s`."""

    by: Literal
    step: Condition
    least: Literal
    within: Literal | None


class Sum(msgspec.Struct, frozen=True, tag=True):
    """`sum NAME by X [..] >= 64KiB within 10s`."""

    of: Operand
    by: Literal
    step: Condition
    least: Literal
    within: Literal | None


class Absent(msgspec.Struct, frozen=True, tag=True):
    """`absent [..] between [..] and [..] by X within 10s`."""

    by: Literal
    missing: Condition
    first: Condition
    last: Condition
    within: Literal | None


Body = Condition | Sequence | Count | Sum | Absent


class Parsed(msgspec.Struct, frozen=True):
    """A complete query."""

    lets: tuple[Let, ...]
    body: Body


def conditions(parsed: Parsed) -> tuple[Condition, ...]:
    """Return the conditions of a query, in its order; a named part counts where it is used."""
    match parsed.body:
        case Sequence(steps=steps, until=until, unless=unless):
            return (*steps, *(each for each in (until, unless) if each is not None))
        case Count(step=step) | Sum(step=step):
            return (step,)
        case Absent(missing=missing, first=first, last=last):
            return missing, first, last
        case body:
            return (body,)


def leaves(parsed: Parsed) -> Iterator[Comparison | Reports]:
    """Yield what the conditions and the named parts of a query compare, in its order."""
    for condition in (*(let.condition for let in parsed.lets), *conditions(parsed)):
        yield from _leaves_of(condition)


def _leaves_of(condition: Condition) -> Iterator[Comparison | Reports]:
    match condition:
        case Both(parts) | Either(parts):
            for part in parts:
                yield from _leaves_of(part)
        case Not(part):
            yield from _leaves_of(part)
        case Comparison() | Reports():
            yield condition


def place_of(condition: Condition) -> int:
    """Return where a condition begins, without any parentheses and `not` before it."""
    match condition:
        case Not(part):
            return place_of(part)
        case Both(parts) | Either(parts):
            return min(map(place_of, parts))
        case Comparison() | Reports():
            return condition.place
